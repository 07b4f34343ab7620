import type { Bucket, Call } from "./call.ts";
import { conditional, isPlain } from "./conditional.ts";
import type { Facts } from "./conditions.ts";
import { type Kind, objectHeaders } from "./object-answer.ts";
import { caches, Request, Response } from "./platform.ts";
import { factsOf } from "./stored-object.ts";

/** What Cloudflare's cache takes at most, in bytes. */
export const LARGEST_KEPT = 512 * 1024 * 1024;

/** Where a NAR is kept: the same for the host's root and the cache's own path, whatever was asked behind a `?`. */
export function edgeCacheKey({ request }: Pick<Call, "request">, key: string): string {
  return new URL(`/${key}`, request.url).href;
}

/**
 * Answers from Cloudflare's cache, a range too; undefined where it does not have it. Only for who has been let in
 * already. It is a help and no more: what goes wrong in it is asked of the bucket.
 */
export async function fromEdgeCache(
  address: string,
  request: Request,
  kind: Kind,
): Promise<Response | undefined> {
  try {
    const kept = await caches.default.match(address);
    if (kept === undefined || isPlain(request)) return kept;
    const facts = factsFrom(kept);
    if (facts === undefined) return undefined;
    return await conditional(request, facts, kind, async (part) => {
      if (part === undefined) return kept;
      const headers = { range: `bytes=${part.first}-${part.last}` };
      const answer = await caches.default.match(new Request(address, { headers }));
      return answer?.status === 206 ? answer : undefined;
    });
  } catch {
    return undefined;
  }
}

/**
 * Puts a NAR there by a read of its own, beside the answer: two readers of one stream go at their own paces, and what
 * lies between them would be held in memory.
 */
export async function fillEdgeCache(address: string, bucket: Bucket, key: string, kind: Kind): Promise<void> {
  try {
    const object = await bucket.get(key);
    if (object === null) return;
    const headers = objectHeaders(factsOf(object), kind);
    await caches.default.put(address, new Response(object.body, { headers }));
  } catch {
    // Whoever asks next tries again.
  }
}

/** What the kept answer says of itself, where it says enough. */
function factsFrom({ headers }: Response): Facts | undefined {
  const [etag, modified, size] = ["etag", "last-modified", "content-length"].map((name) => headers.get(name));
  if (!etag || !modified || !size) return undefined;
  return { etag, modified: new Date(modified), size: Number(size) };
}
