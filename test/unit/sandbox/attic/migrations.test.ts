import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, beforeEach, describe, it } from "mocha";
import type pg from "pg";
import { connect } from "../../../../sandbox/attic/database/connect.ts";
import { migrate } from "../../../../sandbox/attic/database/migrations.ts";
import { Postgres } from "../../../support/postgres.ts";
import { readSchema, type Schema } from "./schema.ts";

/** What the real server's `--mode db-migrations` makes of an empty database, at b7c9056. */
const REAL = JSON.parse(readFileSync(join(import.meta.dirname, "schema.json"), "utf8")) as Schema;

/** Makes a database what the image of 2025-09-24 leaves. */
const OLDER = `
  DROP INDEX "idx-chunk-state-holders"; DROP INDEX "idx-nar-state-holders";
  ALTER TABLE nar ADD COLUMN completeness_hint boolean NOT NULL DEFAULT true;
  ALTER TABLE chunkref ADD COLUMN chunk_hash varchar NOT NULL, ADD COLUMN compression varchar NOT NULL;
  DELETE FROM seaql_migrations WHERE version > 'm2026';`;

describe("the stand-in's migrations", () => {
  let postgres: Postgres;
  let url: string;
  let database: pg.Pool;
  before(async () => {
    postgres = await Postgres.start();
  });
  after(async () => {
    await database.end();
    await postgres.stop();
  });
  beforeEach(async () => {
    url = await postgres.createDatabase();
    database = await connect(url);
  });

  it("make of an empty database what the real server's make", async () => {
    assert.equal(await migrate(database), 15);
    assert.deepEqual(await readSchema(url), REAL);
  });

  it("find nothing to do in a database that is up to date", async () => {
    await migrate(database);
    assert.equal(await migrate(database), 0);
    assert.deepEqual(await readSchema(url), REAL);
  });

  it("bring a database of an older image up to date, with what is in it", async () => {
    await migrate(database);
    await database.query(OLDER);
    await database.query(`INSERT INTO nar VALUES (7, 'V', 'sha256:0', 1, 'zstd', 0, now(), 1, true)`);
    await database.query(`INSERT INTO chunkref VALUES (1, 7, 0, null, 'sha256:0', 'zstd')`);
    assert.equal(await migrate(database), 3);
    assert.deepEqual(await readSchema(url), REAL);
    const { rows } = await database.query("SELECT nar_id, seq, chunk_id FROM chunkref");
    assert.deepEqual(rows, [{ nar_id: "7", seq: 0, chunk_id: null }]);
  });

  it("leave a database of a newer server alone, and name what is newer", async () => {
    await migrate(database);
    await database.query("INSERT INTO seaql_migrations VALUES ('m20991231_000001_new', 1)");
    await database.query(`DELETE FROM seaql_migrations WHERE version LIKE '%remove_chunk_recovery'`);
    await assert.rejects(migrate(database), /newer Attic: m20991231_000001_new is not known here/);
  });

  it("leave a database alone that no published server could have left", async () => {
    await migrate(database);
    await database.query(`DELETE FROM seaql_migrations WHERE version LIKE 'm2023%'`);
    await assert.rejects(migrate(database), /older than any published Attic: it lacks m20230103_000001/);
  });

  it("do all or nothing", async () => {
    await database.query("CREATE TABLE chunkref (id int)");
    await assert.rejects(migrate(database), /relation "chunkref" already exists/);
    const { columns, migrations } = await readSchema(url).catch(() => ({ columns: [], migrations: [] }));
    assert.deepEqual([columns, migrations], [[], []]);
  });
});
