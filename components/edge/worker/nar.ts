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
  if (stored === undefined) return missing(isPublic);
  const isWhole = isPublic && request.method === "GET" && stored.status === 200;
  if (isWhole && Number(stored.headers.get("content-length")) <= LARGEST_KEPT && isPopular(address))
    context.waitUntil(fillEdgeCache(address, environment.BUCKET, key, kind).catch(() => undefined));
  return stored;
}

/** What this isolate was asked for not long ago. */
const asked = new Set<string>();

/**
 * Whether it was asked for before. A client of Nix asks for a NAR once, and to keep that costs more than it takes to
 * answer: so only what somebody asks for again is kept.
 */
function isPopular(address: string): boolean {
  if (asked.delete(address)) return true;
  if (asked.size >= MOST_ASKED) asked.clear();
  asked.add(address);
  return false;
}

/** Some hundred KB of names. */
const MOST_ASKED = 2000;
