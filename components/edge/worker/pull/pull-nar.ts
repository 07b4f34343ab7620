import type { EdgeCache } from "../../layout.ts";
import { COMMON } from "../answer.ts";
import { cacheControl } from "../cache-control.ts";
import type { Call } from "../call.ts";
import { edgeCacheKey, fromEdgeCache, LARGEST_KEPT } from "../edge-cache.ts";
import { missing } from "../missing.ts";
import { crypto, FixedLengthStream, Response } from "../platform.ts";
import { askOrigin } from "./ask-origin.ts";
import { keepPulled } from "./keep-pulled.ts";
import { originNarinfo } from "./origin-narinfo.ts";

/**
 * A NAR from the server: first into Cloudflare's cache, and from there to the client. The server tells the length of
 * few of its NARs, and without one half a NAR looks whole: so nothing is answered until all of it is there.
 *
 * Never into the bucket: the Worker sees the NAR compressed and cannot check it, and what is there has been checked.
 * For the same reason it is kept for a day only.
 */
export async function pullNar(
  call: Call,
  cache: EdgeCache,
  { narHash, hash }: { narHash: string; hash: string },
): Promise<Response> {
  const { pullThrough } = call.edge.config;
  if (!cache.isPublic || pullThrough === undefined) return missing(cache.isPublic);
  const address = edgeCacheKey(call, `${cache.name}/nar/${narHash}-${hash}.nar`);
  const kind = { contentType: "application/x-nix-nar", cacheControl: cacheControl("pulled", true) };
  const kept = await fromEdgeCache(address, call.request, kind);
  if (kept !== undefined) return kept;

  // The server knows its NARs by their paths: it could be that of another build by now.
  const info = await originNarinfo(pullThrough, cache, hash);
  if (info?.narHash !== narHash) return missing();
  const headers = {
    ...COMMON,
    "content-type": kind.contentType,
    "cache-control": kind.cacheControl,
    "last-modified": new Date().toUTCString(),
    // Another download could bring other bytes of the same content: what is resumed has to be of this one.
    etag: `"${crypto.randomUUID()}"`,
  };
  // A HEAD of a NAR counts as its use at the server.
  if (call.request.method === "HEAD") return new Response(null, { headers });
  const ask = async () => await askOrigin(`${pullThrough}${cache.name}/nar/${hash}.nar`);
  if (info.narSize < LARGEST_KEPT) {
    const download = await ask();
    if (download === undefined) return missing();
    const work = keepPulled(address, download, headers);
    // Goes on where the client does not: the next try finds it.
    call.context.waitUntil(work.catch(() => undefined));
    await work;
    const stored = await fromEdgeCache(address, call.request, kind);
    if (stored !== undefined) return stored;
  }
  // Too large for a cache, or a Worker that has none, as on workers.dev.
  const download = await ask();
  if (download === undefined) return missing();
  const { body, size } = download;
  return new Response(size === undefined ? body : body.pipeThrough(new FixedLengthStream(size)), { headers });
}
