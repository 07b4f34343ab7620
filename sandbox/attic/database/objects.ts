import type { Pool, PoolClient } from "pg";
import type { Cache } from "./caches.ts";

/** A path in a cache, as it is pushed. */
export interface NewObject {
  cacheId: string;
  narId: string;
  storePathHash: string;
  storePath: string;
  references: readonly string[];
  deriver: string | null;
  sigs: readonly string[];
  ca: string | null;
  /** The subject of the token that it was pushed with. */
  createdBy: string | null;
}

/** Which of some hashes are in a cache. */
export async function presentHashes(
  database: Pool,
  cacheId: string,
  hashes: readonly string[],
): Promise<ReadonlySet<string>> {
  const { rows } = await database.query<{ store_path_hash: string }>(
    "SELECT store_path_hash FROM object WHERE cache_id = $1 AND store_path_hash = ANY ($2)",
    [cacheId, hashes],
  );
  return new Set(rows.map((row) => row.store_path_hash));
}

/**
 * Puts a path into a cache, in the place of one with the same hash, whose age begins anew. Attic takes the
 * system of a push and keeps it nowhere, so neither does this.
 */
export async function putObject(database: Pool | PoolClient, object: NewObject): Promise<void> {
  await database.query(
    `INSERT INTO object (cache_id, nar_id, store_path_hash, store_path, "references", deriver, sigs, ca,
       created_at, created_by)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, now(), $9)
     ON CONFLICT (cache_id, store_path_hash) DO UPDATE SET nar_id = excluded.nar_id,
       store_path = excluded.store_path, "references" = excluded."references", system = excluded.system,
       deriver = excluded.deriver, sigs = excluded.sigs, ca = excluded.ca, created_at = excluded.created_at,
       last_accessed_at = excluded.last_accessed_at, created_by = excluded.created_by`,
    [
      object.cacheId,
      object.narId,
      object.storePathHash,
      object.storePath,
      JSON.stringify(object.references),
      object.deriver,
      JSON.stringify(object.sigs),
      object.ca,
      object.createdBy,
    ],
  );
}

/** A path with its NAR and its cache. */
export interface FoundObject extends Pick<Cache, "is_public" | "keypair"> {
  id: string;
  nar_id: string;
  store_path: string;
  store_path_hash: string;
  references: string;
  system: string | null;
  deriver: string | null;
  ca: string | null;
  compression: string;
  nar_hash: string;
  nar_size: string;
  num_chunks: number;
}

export async function findObject(
  database: Pool,
  cache: string,
  storePathHash: string,
): Promise<FoundObject | undefined> {
  const { rows } = await database.query<FoundObject>(
    `SELECT object.id, object.nar_id, object.store_path, object.store_path_hash, object."references",
       object.system, object.deriver, object.ca, nar.compression, nar.nar_hash, nar.nar_size, nar.num_chunks,
       cache.is_public, cache.keypair
     FROM object JOIN cache ON cache.id = object.cache_id JOIN nar ON nar.id = object.nar_id
     WHERE cache.name = $1 AND cache.deleted_at IS NULL AND object.store_path_hash = $2 AND nar.state = 'V'`,
    [cache, storePathHash],
  );
  return rows[0];
}

/** Notes that a NAR was fetched, which keeps it from being collected. */
export async function noteAccess(database: Pool, objectId: string): Promise<void> {
  await database.query("UPDATE object SET last_accessed_at = now() WHERE id = $1", [objectId]);
}
