import type { Request } from "./platform.ts";

/** What is known of an object before any of it is read. */
export interface Facts {
  /** With its quotes, and strong. */
  etag: string;
  modified: Date;
  /** In bytes. */
  size: number;
}

/** First and last byte, both included. */
export interface Part {
  first: number;
  last: number;
}

/** The whole, a part, or the status to answer with instead of either. */
export type Verdict = "whole" | Part | 304 | 412 | 416;

/** What is asked for, in the order of RFC 9110, section 13.2.2. A range is a GET's; several at once get the whole. */
export function judge({ method, headers }: Request, facts: Facts): Verdict {
  const { etag } = facts;
  const modified = Math.floor(facts.modified.getTime() / 1000) * 1000;
  const since = (name: string) => Date.parse(headers.get(name) ?? "");
  const [match, noneMatch] = [headers.get("if-match"), headers.get("if-none-match")];

  if (match === null ? modified > since("if-unmodified-since") : !names(match, etag, false)) return 412;
  if (noneMatch === null ? modified <= since("if-modified-since") : names(noneMatch, etag, true)) return 304;

  const condition = headers.get("if-range");
  const holds = condition === null || condition === etag || Date.parse(condition) === modified;
  return holds && method === "GET" ? partOf(headers.get("range"), facts.size) : "whole";
}

/** @param weakly whether an entity tag that promises no more than the same meaning will do. */
function names(list: string, etag: string, weakly: boolean): boolean {
  if (list.trim() === "*") return true;
  return [...list.matchAll(/(W\/)?("[^"]*")/g)].some(
    ([, weak, tag]) => tag === etag && (weakly || weak === undefined),
  );
}

/** What is no single range of bytes is as good as none. */
function partOf(range: string | null, size: number): Part | "whole" | 416 {
  const [, from = "", to = ""] = /^bytes=(\d*)-(\d*)$/i.exec(range ?? "") ?? [];
  if (from === "" && to === "") return "whole";
  if (from !== "" && to !== "" && BigInt(from) > BigInt(to)) return "whole";
  const first = from === "" ? Math.max(size - Number(to), 0) : Number(from);
  const last = from === "" || to === "" ? size - 1 : Math.min(Number(to), size - 1);
  return first > last ? 416 : { first, last };
}
