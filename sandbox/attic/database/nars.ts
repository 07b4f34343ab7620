import type { Pool, PoolClient } from "pg";
import type { Measure } from "../upload/measure.ts";

/** A NAR that is there, held so that it is not collected meanwhile. */
export interface HeldNar extends Measure {
  id: string;
}

/** Finds a valid NAR and holds it; one that has lost a chunk is of no use. */
export async function holdNar(database: Pool, hash: string): Promise<HeldNar | undefined> {
  const { rows } = await database.query<{ id: string; nar_hash: string; nar_size: string }>(
    `UPDATE nar SET holders_count = holders_count + 1 WHERE id IN (
       SELECT id FROM nar WHERE nar_hash = $1 AND state = 'V' AND NOT EXISTS (
         SELECT FROM chunkref WHERE nar_id = nar.id AND chunk_id IS NULL
       ) LIMIT 1 FOR UPDATE SKIP LOCKED
     ) RETURNING id, nar_hash, nar_size`,
    [hash],
  );
  const [row] = rows;
  return row && { id: row.id, hash: row.nar_hash, size: Number(row.nar_size) };
}

export async function releaseNar(database: Pool, id: string): Promise<void> {
  await database.query("UPDATE nar SET holders_count = holders_count - 1 WHERE id = $1", [id]);
}

/** Notes a NAR whose chunks are still to come. */
export async function insertPendingNar(database: Pool, nar: Measure, compression: string): Promise<string> {
  return await insert(database, "P", nar, compression, 0);
}

/** Notes a NAR of a single chunk, which is there. */
export async function insertNar(client: PoolClient, nar: Measure, compression: string): Promise<string> {
  return await insert(client, "V", nar, compression, 1);
}

async function insert(
  database: Pool | PoolClient,
  state: "P" | "V",
  { hash, size }: Measure,
  compression: string,
  chunks: number,
): Promise<string> {
  const { rows } = await database.query<{ id: string }>(
    `INSERT INTO nar (state, nar_hash, nar_size, compression, num_chunks, created_at)
     VALUES ($1, $2, $3, $4, $5, now()) RETURNING id`,
    [state, hash, size, compression, chunks],
  );
  return rows[0]?.id ?? "";
}

export async function confirmNar(client: PoolClient, id: string, chunks: number): Promise<void> {
  await client.query("UPDATE nar SET state = 'V', num_chunks = $2 WHERE id = $1", [id, chunks]);
}

export async function deleteNar(database: Pool, id: string): Promise<void> {
  await database.query("DELETE FROM nar WHERE id = $1", [id]);
}

export async function insertChunkRef(
  database: Pool | PoolClient,
  narId: string,
  place: number,
  chunkId: string,
): Promise<void> {
  await database.query("INSERT INTO chunkref (nar_id, seq, chunk_id) VALUES ($1, $2, $3)", [
    narId,
    place,
    chunkId,
  ]);
}
