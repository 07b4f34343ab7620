import type { Pool } from "pg";
import type { RemoteFile } from "../storage/store.ts";
import type { Measure } from "../upload/measure.ts";

/** What of a row of the table `chunk` an upload needs. */
export interface Chunk {
  id: string;
  chunk_size: string;
  file_size: string;
}

/**
 * Finds a valid chunk and holds it, so that it is not collected before somebody refers to it. One that another
 * transaction is at work on counts as not there, as in Attic.
 */
export async function holdChunk(
  database: Pool,
  { hash, size }: Measure,
  compression: string,
): Promise<Chunk | undefined> {
  const { rows } = await database.query<Chunk>(
    `UPDATE chunk SET holders_count = holders_count + 1 WHERE id IN (
       SELECT id FROM chunk WHERE chunk_hash = $1 AND chunk_size = $2 AND state = 'V' AND compression = $3
       LIMIT 1 FOR UPDATE SKIP LOCKED
     ) RETURNING id, chunk_size, file_size`,
    [hash, size, compression],
  );
  return rows[0];
}

export async function releaseChunk(database: Pool, id: string): Promise<void> {
  await database.query("UPDATE chunk SET holders_count = holders_count - 1 WHERE id = $1", [id]);
}

/** Notes a chunk that is being uploaded. */
export async function insertPendingChunk(
  database: Pool,
  claimed: Measure,
  compression: string,
  file: RemoteFile,
  fileId: string,
): Promise<string> {
  const { rows } = await database.query<{ id: string }>(
    `INSERT INTO chunk (state, chunk_hash, chunk_size, compression, remote_file, remote_file_id, created_at)
     VALUES ('P', $1, $2, $3, $4, $5, now()) RETURNING id`,
    [claimed.hash, claimed.size, compression, JSON.stringify(file), fileId],
  );
  return rows[0]?.id ?? "";
}

/** Makes a pending chunk valid, held by who uploaded it. */
export async function confirmChunk(database: Pool, id: string, file: Measure): Promise<Chunk> {
  const { rows } = await database.query<Chunk>(
    `UPDATE chunk SET state = 'V', file_hash = $2, file_size = $3, holders_count = 1 WHERE id = $1
     RETURNING id, chunk_size, file_size`,
    [id, file.hash, file.size],
  );
  const [chunk] = rows;
  if (chunk === undefined) throw new Error(`the chunk ${id} went away while it was uploaded`);
  return chunk;
}

export async function deleteChunk(database: Pool, id: string): Promise<void> {
  await database.query("DELETE FROM chunk WHERE id = $1", [id]);
}

/** Where the chunks of a NAR lie, in their order; undefined for one that has been lost. */
export async function filesOfNar(database: Pool, narId: string): Promise<(RemoteFile | undefined)[]> {
  const { rows } = await database.query<{ remote_file: string | null }>(
    `SELECT chunk.remote_file FROM chunkref LEFT JOIN chunk ON chunk.id = chunkref.chunk_id
     WHERE chunkref.nar_id = $1 AND (chunk.state = 'V' OR chunk.state IS NULL) ORDER BY chunkref.seq`,
    [narId],
  );
  return rows.map(({ remote_file: file }) => (file === null ? undefined : (JSON.parse(file) as RemoteFile)));
}
