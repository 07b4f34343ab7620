import type { Pool } from "pg";

/** A row of the table `cache`. */
export interface Cache {
  id: string;
  name: string;
  /** Secret: it signs. */
  keypair: string;
  is_public: boolean;
  store_dir: string;
  priority: number;
  /** JSON in a column of text. */
  upstream_cache_key_names: string;
  /** Seconds; null is the server's default, 0 is never. */
  retention_period: number | null;
}

/** What of a cache can be written. */
export type CacheFields = Omit<Cache, "id" | "name">;

/** A cache that is there and not deleted. */
export async function findCache(database: Pool, name: string): Promise<Cache | undefined> {
  const sql = "SELECT * FROM cache WHERE name = $1 AND deleted_at IS NULL";
  return (await database.query<Cache>(sql, [name])).rows[0];
}

/** @returns false where the name is taken, also by a cache that is softly deleted. */
export async function insertCache(
  database: Pool,
  name: string,
  fields: Omit<CacheFields, "retention_period">,
): Promise<boolean> {
  const { keypair, is_public, store_dir, priority, upstream_cache_key_names } = fields;
  const { rowCount } = await database.query(
    `INSERT INTO cache (name, keypair, is_public, store_dir, priority, upstream_cache_key_names, created_at)
     VALUES ($1, $2, $3, $4, $5, $6, now()) ON CONFLICT (name) DO NOTHING`,
    [name, keypair, is_public, store_dir, priority, upstream_cache_key_names],
  );
  return rowCount === 1;
}

/** @param fields not empty. */
export async function updateCache(database: Pool, id: string, fields: Partial<CacheFields>): Promise<void> {
  const names = Object.keys(fields);
  const assignments = names.map((column, index) => `${column} = $${index + 2}`).join(", ");
  await database.query(`UPDATE cache SET ${assignments} WHERE id = $1`, [id, ...Object.values(fields)]);
}

/** @returns false where somebody else was faster. */
export async function deleteCache(database: Pool, id: string, softly: boolean): Promise<boolean> {
  const what = softly ? "UPDATE cache SET deleted_at = now()" : "DELETE FROM cache";
  const { rowCount } = await database.query(`${what} WHERE id = $1 AND deleted_at IS NULL`, [id]);
  return rowCount === 1;
}
