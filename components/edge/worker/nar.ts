import { type EdgeCache, narKey } from "../layout.ts";
import { cacheControl } from "./cache-control.ts";
import type { Call } from "./call.ts";
import { edgeCacheKey, fillEdgeCache, fromEdgeCache, LARGEST_KEPT } from "./edge-cache.ts";
import { missing } from "./missing.ts";
import type { Response } from "./platform.ts";
import { storedObject } from "./stored-object.ts";

/** A NAR that the mirror has brought, from Cloudflare's own cache where that has it already. */
export async function nar(call: Call, { name, isPublic }: EdgeCache, file: string): Promise<Response> {
  const { request, environment, context } = call;
  const key = narKey(name, file);
  const kind = { contentType: "application/x-nix-nar", cacheControl: cacheControl("nar", isPublic) };
  const address = edgeCacheKey(call, key);
  const kept = isPublic ? await fromEdgeCache(address, request, kind) : undefined;
  if (kept !== undefined) return kept;
  const stored = await storedObject(environment.BUCKET, key, request, kind);
  const isKept = isPublic && request.method === "GET" && stored?.status === 200;
  if (isKept && Number(stored.headers.get("content-length")) <= LARGEST_KEPT)
    context.waitUntil(fillEdgeCache(address, environment.BUCKET, key, kind));
  return stored ?? missing(isPublic);
}
