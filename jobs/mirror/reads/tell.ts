import { Database } from "../database/database.ts";
import type { Log } from "../log.ts";
import type { Memo } from "../memo.ts";
import { fromBase32 } from "../nar/base32.ts";
import { type Patience, Service } from "../service.ts";
import type { ReadsSettings } from "../settings.ts";
import { type Read, readsBetween } from "./analytics.ts";

/** Points may come in late; so much of what was asked for is asked for again, in seconds. */
const OVERLAP = 15 * 60;
/** How far the first run looks back, in seconds. */
const FIRST = 30 * 86_400;
const BATCH = 1_000;

/**
 * Moves the time of the last access forward, never back. All paths of the cache that have the NAR are meant: it does not
 * show at the edge by which of them it was asked for.
 */
const TOUCH = `
  UPDATE object SET last_accessed_at = read.at
  FROM (SELECT cache, hash, least(to_timestamp(seconds), now()) AS at
        FROM unnest($1::text[], $2::text[], $3::float8[]) AS given (cache, hash, seconds)) AS read
    JOIN cache ON cache.name = read.cache AND cache.deleted_at IS NULL
    JOIN nar ON nar.nar_hash = read.hash
  WHERE object.cache_id = cache.id AND object.nar_id = nar.id
    AND (object.last_accessed_at IS NULL OR object.last_accessed_at < read.at)`;

/**
 * Tells the server what was read at the edge since the last time, so that it is not collected.
 *
 * @param memo says up to when that was done, and then up to now.
 * @throws Failure, Nonsense, Stopped
 */
export async function tellReads(
  settings: ReadsSettings,
  memo: Memo,
  { log, patience, caches }: { log: Log; patience: Patience; caches: readonly string[] },
): Promise<void> {
  const now = Math.floor(Date.now() / 1000);
  const from = memo.readsUntil === 0 ? now - FIRST : Math.min(memo.readsUntil, now) - OVERLAP;
  const api = new Service("the SQL API", patience);
  const tables = new Service("PostgreSQL", patience);
  const served = new Set(caches);
  let [nars, paths] = [0, 0];
  try {
    for await (const reads of readsBetween(settings, api, from, now)) {
      const known = reads.filter(({ cache }) => served.has(cache));
      nars += known.length;
      if (known.length > 0)
        paths += await tables.retrying("telling the server what was read", () =>
          touch(settings, known, patience.silence),
        );
    }
  } finally {
    api.close();
    tables.close();
  }
  memo.readsUntil = now;
  log.info("reads told to the server", { nars, paths });
}

/** @returns how many paths are younger now. */
async function touch(
  { database: target }: ReadsSettings,
  reads: readonly Read[],
  silence: number,
): Promise<number> {
  const database = await Database.connect(target, silence);
  let changed = 0;
  try {
    for (let start = 0; start < reads.length; start += BATCH) {
      const batch = reads.slice(start, start + BATCH);
      changed += await database.change(TOUCH, [
        batch.map(({ cache }) => cache),
        batch.map(({ narHash }) => `sha256:${fromBase32(narHash).toString("hex")}`),
        batch.map(({ at }) => at),
      ]);
    }
  } finally {
    await database.close();
  }
  return changed;
}
