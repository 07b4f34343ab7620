import type { ReadableStream } from "@cloudflare/workers-types";
import { answer, COMMON } from "./answer.ts";
import type { Facts, Part } from "./conditions.ts";
import { Response } from "./platform.ts";

/** What is said of an object besides its bytes. */
export interface Kind {
  contentType: string;
  cacheControl: string;
}

/** The headers of an object that is answered in full. */
export function objectHeaders({ etag, modified, size }: Facts, kind: Kind): Record<string, string> {
  return {
    ...COMMON,
    "content-type": kind.contentType,
    "cache-control": kind.cacheControl,
    "content-length": String(size),
    "accept-ranges": "bytes",
    "last-modified": modified.toUTCString(),
    etag,
  };
}

export function whole(facts: Facts, kind: Kind, body: ReadableStream | null): Response {
  return new Response(body, { headers: objectHeaders(facts, kind) });
}

export function partial(facts: Facts, kind: Kind, { first, last }: Part, body: ReadableStream): Response {
  return new Response(body, {
    status: 206,
    headers: {
      ...objectHeaders(facts, kind),
      "content-length": String(last - first + 1),
      "content-range": `bytes ${first}-${last}/${facts.size}`,
    },
  });
}

/** What is answered where the request's conditions or its range do not hold. */
export function unmet(status: 304 | 412 | 416, facts: Facts, kind: Kind): Response {
  if (status === 412) return answer(412, "What the edge has is not what the request names.\n");
  if (status === 416)
    return answer(416, `The object has ${facts.size} bytes.\n`, { "content-range": `bytes */${facts.size}` });
  const { "content-length": _, ...headers } = objectHeaders(facts, kind);
  return new Response(null, { status: 304, headers });
}
