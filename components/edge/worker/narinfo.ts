import { type EdgeCache, narinfoKey } from "../layout.ts";
import { cacheControl } from "./cache-control.ts";
import type { Call } from "./call.ts";
import { missing } from "./missing.ts";
import type { Response } from "./platform.ts";
import { pullNarinfo } from "./pull/pull-narinfo.ts";
import { storedObject } from "./stored-object.ts";

/** What is known of a path, as the mirror wrote it; else, where that is wanted, as the server says it. */
export async function narinfo(call: Call, cache: EdgeCache, hash: string): Promise<Response> {
  const { name, isPublic } = cache;
  const kind = { contentType: "text/x-nix-narinfo", cacheControl: cacheControl("narinfo", isPublic) };
  const key = narinfoKey(name, hash);
  const stored = await storedObject(call.environment.BUCKET, key, call.request, kind);
  return stored ?? (isPublic ? await pullNarinfo(call, cache, hash) : undefined) ?? missing(isPublic);
}
