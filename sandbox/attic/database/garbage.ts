import type { Pool } from "pg";
import type { RemoteFile } from "../storage/store.ts";

/** The most chunks that one run takes away, which is what a statement of the real server can hold. */
const MOST_CHUNKS = 65_535;

/**
 * Deletes paths that were neither pushed nor pulled within the retention period of their cache.
 *
 * @param usual the period in seconds of caches that have none of their own; 0 is never.
 * @returns how many there were.
 */
export async function deleteOldObjects(database: Pool, usual: number): Promise<number> {
  const { rowCount } = await database.query(
    `DELETE FROM object USING cache
     WHERE cache.id = object.cache_id AND coalesce(cache.retention_period, $1) <> 0
       AND greatest(object.created_at, object.last_accessed_at)
         < now() - make_interval(secs => coalesce(cache.retention_period, $1))`,
    [usual],
  );
  return rowCount ?? 0;
}

/** Deletes NARs that no path needs and nobody holds. Uploads under way are left alone, however old. */
export async function deleteOrphanNars(database: Pool): Promise<number> {
  const { rowCount } = await database.query(
    `DELETE FROM nar WHERE id IN (
       SELECT nar.id FROM nar LEFT JOIN object ON object.nar_id = nar.id
       WHERE object.id IS NULL AND nar.state = 'V' AND nar.holders_count = 0
       FOR UPDATE OF nar SKIP LOCKED
     )`,
  );
  return rowCount ?? 0;
}

export interface DoomedChunk {
  id: string;
  file: RemoteFile;
}

/** Marks chunks that no NAR needs and nobody holds, which hides them, and gives all that are marked. */
export async function markOrphanChunks(database: Pool): Promise<DoomedChunk[]> {
  await database.query(
    `UPDATE chunk SET state = 'D' WHERE id IN (
       SELECT chunk.id FROM chunk LEFT JOIN chunkref ON chunkref.chunk_id = chunk.id
       WHERE chunkref.id IS NULL AND chunk.state = 'V' AND chunk.holders_count = 0
       FOR UPDATE OF chunk SKIP LOCKED
     )`,
  );
  const { rows } = await database.query<{ id: string; remote_file: string }>(
    "SELECT id, remote_file FROM chunk WHERE state = 'D' LIMIT $1",
    [MOST_CHUNKS],
  );
  return rows.map(({ id, remote_file: file }) => ({ id, file: JSON.parse(file) as RemoteFile }));
}

export async function deleteChunks(database: Pool, ids: readonly string[]): Promise<void> {
  await database.query("DELETE FROM chunk WHERE id = ANY ($1)", [ids]);
}
