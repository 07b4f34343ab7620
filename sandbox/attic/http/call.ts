import type { IncomingMessage } from "node:http";
import type { Readable } from "node:stream";
import { z } from "zod";
import type { Token } from "../tokens.ts";
import { bodyOf } from "./body.ts";
import { refuse } from "./refusal.ts";

/** One request, as a handler sees it. */
export interface Call {
  request: IncomingMessage;
  token: Token | undefined;
  /** What stands in the path where the route has a name. */
  params: Readonly<Record<string, string>>;
}

export interface Reply {
  status: number;
  headers?: Record<string, string>;
  body?: string | Readable;
}

/** The largest JSON that is read: the default of Attic's HTTP framework, some 57,000 hashes of paths. */
const LARGEST_JSON = 2 * 2 ** 20;

export const JSON_TYPE = "application/json";

export function json(value: unknown): Reply {
  return { status: 200, headers: { "content-type": JSON_TYPE }, body: JSON.stringify(value) };
}

/** @throws Refusal in plain text, as the framework of the real server words it. */
export async function readJson<Schema extends z.ZodType>(
  { request }: Call,
  schema: Schema,
): Promise<z.infer<Schema>> {
  const [type = ""] = (request.headers["content-type"] ?? "").split(";");
  if (!/^application\/(.+\+)?json$/i.test(type.trim()))
    throw refuse.plain(415, `Expected request with \`Content-Type: ${JSON_TYPE}\``);
  const value = parse((await readBody(request)).toString());
  const { success, data, error } = schema.safeParse(value);
  if (success) return data;
  throw refuse.plain(422, `Failed to deserialize the JSON body into the target type: ${inWords(error)}`);
}

/** What is wrong with a value, by place, and nothing of the value itself: it may be a secret. */
export function inWords({ issues }: z.ZodError): string {
  return issues.map(({ path, message }) => `${path.join(".") || "the whole"}: ${message}`).join("; ");
}

async function readBody(request: IncomingMessage): Promise<Buffer> {
  const parts: Buffer[] = [];
  let length = 0;
  for await (const part of bodyOf(request)) {
    length += part.length;
    if (length > LARGEST_JSON)
      throw refuse.plain(413, "Failed to buffer the request body: length limit exceeded");
    parts.push(part);
  }
  return Buffer.concat(parts);
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw refuse.plain(400, "Failed to parse the request body as JSON");
  }
}
