import type { Pool, PoolClient } from "pg";
import { UserError } from "../../support/user-error.ts";
import { inTransaction } from "./transaction.ts";

interface Step {
  /** Names of Attic's own migrations that leave the database as this step does. */
  versions: readonly string[];
  sql: string;
}

/**
 * What Attic's migrations make of a database (server/src/database/migration at b7c9056), in as few steps as let
 * the databases of published images be brought up to date: the first step is what the image of 2025-09-24 has.
 */
const STEPS: readonly Step[] = [
  {
    versions: [
      "m20221227_000001_create_cache_table",
      "m20221227_000003_create_nar_table",
      "m20221227_000002_create_object_table",
      "m20221227_000004_add_object_last_accessed",
      "m20221227_000005_add_cache_retention_period",
      "m20230103_000001_add_object_created_by",
      "m20230112_000001_add_chunk_table",
      "m20230112_000002_add_chunkref_table",
      "m20230112_000003_add_nar_num_chunks",
      "m20230112_000004_migrate_nar_remote_files_to_chunks",
      "m20230112_000005_drop_old_nar_columns",
      "m20230112_000006_add_nar_completeness_hint",
    ],
    sql: `
      CREATE TABLE cache (
        id bigserial PRIMARY KEY,
        name varchar(50) NOT NULL UNIQUE,
        keypair varchar NOT NULL,
        is_public bool NOT NULL,
        store_dir varchar NOT NULL,
        priority integer NOT NULL,
        upstream_cache_key_names varchar NOT NULL,
        created_at timestamptz NOT NULL,
        deleted_at timestamptz,
        retention_period integer
      );
      CREATE INDEX "idx-cache-name" ON cache (name);
      CREATE TABLE nar (
        id bigserial PRIMARY KEY,
        state char(1) NOT NULL,
        nar_hash varchar NOT NULL,
        nar_size bigint NOT NULL,
        compression varchar NOT NULL,
        holders_count integer NOT NULL DEFAULT 0,
        created_at timestamptz NOT NULL,
        num_chunks integer NOT NULL DEFAULT 1,
        completeness_hint bool NOT NULL DEFAULT true
      );
      CREATE INDEX "idx-nar-nar-hash" ON nar (nar_hash);
      CREATE TABLE object (
        id bigserial PRIMARY KEY,
        cache_id bigint NOT NULL,
        nar_id bigint NOT NULL,
        store_path_hash varchar(32) NOT NULL,
        store_path varchar NOT NULL,
        "references" varchar NOT NULL,
        system varchar,
        deriver varchar,
        sigs varchar NOT NULL,
        ca varchar,
        created_at timestamptz NOT NULL,
        last_accessed_at timestamptz,
        created_by varchar,
        CONSTRAINT fk_object_cache FOREIGN KEY (cache_id) REFERENCES cache (id) ON DELETE CASCADE,
        CONSTRAINT fk_object_nar FOREIGN KEY (nar_id) REFERENCES nar (id) ON DELETE CASCADE
      );
      CREATE UNIQUE INDEX "idx-object-cache-hash" ON object (cache_id, store_path_hash);
      CREATE TABLE chunk (
        id bigserial PRIMARY KEY,
        state char(1) NOT NULL,
        chunk_hash varchar NOT NULL,
        chunk_size bigint NOT NULL,
        file_hash varchar,
        file_size bigint,
        compression varchar NOT NULL,
        remote_file varchar NOT NULL,
        remote_file_id varchar NOT NULL UNIQUE,
        holders_count integer NOT NULL DEFAULT 0,
        created_at timestamptz NOT NULL
      );
      CREATE INDEX "idx-chunk-chunk-hash" ON chunk (chunk_hash);
      CREATE TABLE chunkref (
        id bigserial PRIMARY KEY,
        nar_id bigint NOT NULL,
        seq integer NOT NULL,
        chunk_id bigint,
        chunk_hash varchar NOT NULL,
        compression varchar NOT NULL,
        CONSTRAINT fk_chunkref_nar FOREIGN KEY (nar_id) REFERENCES nar (id) ON DELETE CASCADE,
        CONSTRAINT fk_chunkref_chunk FOREIGN KEY (chunk_id) REFERENCES chunk (id) ON DELETE SET NULL
      );
      CREATE INDEX "idx-chunk-nar-id" ON chunkref (nar_id);
      CREATE INDEX "idx-chunk-chunk-id" ON chunkref (chunk_id);`,
  },
  {
    versions: ["m20260508_000001_add_chunk_state_holders_index"],
    sql: `CREATE INDEX "idx-chunk-state-holders" ON chunk (state, holders_count);`,
  },
  {
    versions: ["m20260611_000001_add_nar_state_holders_index"],
    sql: `CREATE INDEX "idx-nar-state-holders" ON nar (state, holders_count);`,
  },
  {
    versions: ["m20260624_000001_remove_chunk_recovery"],
    sql: `
      ALTER TABLE chunkref DROP COLUMN chunk_hash, DROP COLUMN compression;
      ALTER TABLE nar DROP COLUMN completeness_hint;`,
  },
];

/**
 * Makes the tables, or brings those of an older server up to date, all or nothing. Rows of `seaql_migrations` are
 * Attic's own, so the real server goes on with such a database, and this with one of the real server.
 *
 * @returns how many of Attic's migrations were applied.
 * @throws UserError where the database is of a version that is not known here.
 */
export async function migrate(pool: Pool): Promise<number> {
  return await inTransaction(pool, applyAll);
}

async function applyAll(client: PoolClient): Promise<number> {
  await client.query(
    "CREATE TABLE IF NOT EXISTS seaql_migrations (version varchar NOT NULL PRIMARY KEY, applied_at bigint NOT NULL)",
  );
  const { rows } = await client.query<{ version: string }>("SELECT version FROM seaql_migrations");
  const there = new Set(rows.map(({ version }) => version));
  const stranger = [...there].find((version) => !STEPS.some(({ versions }) => versions.includes(version)));
  if (stranger !== undefined)
    throw new UserError(`The database has been changed by a newer Attic: ${stranger} is not known here.`);
  let applied = 0;
  for (const { versions, sql } of STEPS) {
    const missing = versions.filter((version) => !there.has(version));
    if (missing.length === 0) continue;
    if (missing.length < versions.length)
      throw new UserError(`The database is older than any published Attic: it lacks ${missing.join(", ")}.`);
    await client.query(sql);
    const now = Math.floor(Date.now() / 1000);
    await client.query("INSERT INTO seaql_migrations SELECT unnest($1::text[]), $2", [missing, now]);
    applied += missing.length;
  }
  return applied;
}
