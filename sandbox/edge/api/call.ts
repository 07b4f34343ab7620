import type { Edge } from "../edge.ts";
import type { TokenState } from "../state.ts";
import { ApiError, isRecord, type Json } from "./envelope.ts";

/** One call of the API. */
export interface Call {
  edge: Edge;
  method: string;
  /** What the path names: account, zone, bucket, … */
  params: Readonly<Record<string, string>>;
  query: URLSearchParams;
  headers: Headers;
  body: Buffer;
  /** Whose call it is; undefined for the sandbox's own token, which may do all. */
  token?: TokenState;
}

/** The body as an object of JSON. */
export function jsonOf({ body }: Call): Record<string, Json> {
  let value: unknown;
  try {
    value = JSON.parse(body.toString());
  } catch {
    throw new ApiError(400, 10021, "The request's body is not valid JSON.");
  }
  if (!isRecord(value)) throw new ApiError(400, 10021, "The request's body must be a JSON object.");
  return value;
}

/** A field of text. @throws ApiError where it is missing, or something else. */
export function textOf(body: Record<string, Json>, field: string, code: number): string {
  const { [field]: value } = body;
  if (typeof value === "string" && value !== "") return value;
  throw new ApiError(400, code, `${field} is required, as text.`);
}

/** A part of the path that has to be there. */
export function param({ params }: Call, name: string): string {
  const { [name]: value } = params;
  if (value === undefined) throw new Error(`the path has no ${name}`);
  return value;
}

/** A random identifier, as Cloudflare makes them. */
export function newId(): string {
  return crypto.randomUUID().replaceAll("-", "");
}
