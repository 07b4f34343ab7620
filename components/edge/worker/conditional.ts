import { type Facts, judge, type Part } from "./conditions.ts";
import { type Kind, unmet, whole } from "./object-answer.ts";
import type { Request, Response } from "./platform.ts";

/**
 * Answers a request that names conditions or a range, or that only asks for the headers.
 *
 * @param read what reads the object, or a part of it; asked only where bytes are answered.
 */
export async function conditional(
  request: Request,
  facts: Facts,
  kind: Kind,
  read: (part?: Part) => Promise<Response | undefined>,
): Promise<Response | undefined> {
  const verdict = judge(request, facts);
  if (typeof verdict === "number") return unmet(verdict, facts, kind);
  if (request.method === "HEAD") return whole(facts, kind, null);
  return await (verdict === "whole" ? read() : read(verdict));
}

/** Whether all of it is asked for, whatever it is: as Nix asks. */
export function isPlain({ method, headers }: Request): boolean {
  return method === "GET" && !CONDITIONS.some((name) => headers.has(name));
}

const CONDITIONS = ["if-match", "if-none-match", "if-modified-since", "if-unmodified-since", "range"];
