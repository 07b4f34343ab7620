import type { EdgeCache } from "../../layout.ts";
import { cacheControl } from "../cache-control.ts";
import type { Call } from "../call.ts";
import { edgeCacheKey, fromEdgeCache, LARGEST_KEPT } from "../edge-cache.ts";
import { missing } from "../missing.ts";
import { objectHeaders } from "../object-answer.ts";
import { caches, crypto, FixedLengthStream, Response } from "../platform.ts";
import { askOrigin } from "./ask-origin.ts";
import { copied } from "./copied.ts";
import { originNarinfo } from "./origin-narinfo.ts";

/**
 * A NAR from the server, kept in Cloudflare's cache on its way and never in the bucket: the Worker sees it compressed
 * and cannot check it, and what is in the bucket has been checked. For a day only, for the same reason.
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
  const unknown = { "content-type": kind.contentType, "cache-control": kind.cacheControl };
  // A HEAD of a NAR counts as its use at the server.
  if (call.request.method === "HEAD") return new Response(null, { headers: unknown });
  const found = await askOrigin(`${pullThrough}${cache.name}/nar/${hash}.nar`);
  if (found?.body == null) return missing();
  const size = Number(found.headers.get("content-length") ?? NaN);
  if (Number.isNaN(size) || found.headers.has("content-encoding"))
    return new Response(found.body, { headers: unknown });
  const body = found.body.pipeThrough(new FixedLengthStream(size));
  // Another download could bring other bytes of the same content: what is resumed has to be of this one.
  const headers = objectHeaders({ etag: `"${crypto.randomUUID()}"`, modified: new Date(), size }, kind);
  if (size > LARGEST_KEPT) return new Response(body, { headers });
  const copy = new FixedLengthStream(size);
  const put = caches.default.put(address, new Response(copy.readable, { headers })).catch(() => undefined);
  call.context.waitUntil(put);
  return new Response(copied(body, copy.writable, put).pipeThrough(new FixedLengthStream(size)), { headers });
}
