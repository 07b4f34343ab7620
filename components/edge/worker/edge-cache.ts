import type { Bucket, Call } from "./call.ts";
import { conditional, isPlain } from "./conditional.ts";
import type { Facts } from "./conditions.ts";
import { type Kind, objectHeaders } from "./object-answer.ts";
import { caches, crypto, type ReadableStream, Request, Response } from "./platform.ts";
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
    const facts = kept === undefined ? undefined : factsFrom(kept);
    if (facts === undefined || isPlain(request)) return facts && kept;
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
  const object = await bucket.get(key);
  if (object === null) return;
  const headers = objectHeaders(factsOf(object), kind);
  await keepWhole(address, object.body as ReadableStream, headers, () => object.size);
}

/**
 * Puts an answer there once all of it has come. Until then it waits under a name that nobody asks for: a cache may
 * keep what it was given of a stream that broke off, and call that the whole.
 *
 * @param size what the body had, by now; undefined where it broke off.
 */
export async function keepWhole(
  address: string,
  body: ReadableStream,
  headers: Readonly<Record<string, string>>,
  size: () => number | undefined,
): Promise<void> {
  const cache = caches.default;
  const waiting = `${address}.${crypto.randomUUID()}`;
  try {
    await cache.put(waiting, new Response(body, { headers }));
    const whole = await cache.match(waiting);
    const length = size();
    if (!whole?.body || length === undefined) return;
    // By its length the cache can answer ranges.
    const measured = { ...headers, "content-length": String(length) };
    await cache.put(address, new Response(whole.body, { headers: measured }));
  } finally {
    await cache.delete(waiting);
  }
}

/** What the kept answer says of itself, where it says enough. */
function factsFrom({ headers }: Response): Facts | undefined {
  const [etag, modified, size] = ["etag", "last-modified", "content-length"].map((name) => headers.get(name));
  if (!etag || !modified || !size) return undefined;
  return { etag, modified: new Date(modified), size: Number(size) };
}
