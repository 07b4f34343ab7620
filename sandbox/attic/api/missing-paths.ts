import { z } from "zod";
import { authorize } from "../access.ts";
import type { Attic } from "../attic.ts";
import { presentHashes } from "../database/objects.ts";
import { type Call, json, readJson, type Reply } from "../http/call.ts";
import { cacheName, storePathHash } from "./fields.ts";

const request = z.object({ cache: cacheName, store_path_hashes: z.array(storePathHash) });

/** Which of some paths are not in a cache. */
export async function getMissingPaths(attic: Attic, call: Call): Promise<Reply> {
  const { cache: name, store_path_hashes: asked } = await readJson(call, request);
  const { cache } = await authorize(attic, call.token, name, "push");
  const there = await presentHashes(attic.database, cache.id, asked);
  return json({ missing_paths: [...new Set(asked)].filter((hash) => !there.has(hash)) });
}
