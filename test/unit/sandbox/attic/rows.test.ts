import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { after, before, describe, it } from "mocha";
import { Contract } from "../../../contract/support/contract.ts";
import { archive } from "../../../../sandbox/welcome/store-path.ts";
import { makePath, pathOf, type Path, sha256 } from "../../../contract/support/nar.ts";
import { startAttic, type TestAttic } from "../../../support/attic-server.ts";
import { query } from "../../../support/postgres.ts";

type Row = Record<string, unknown>;

/** Other programs read and write these tables: they have to find in them what the real server puts there. */
describe("rows of Attic's tables", () => {
  let server: TestAttic;
  const attic = new Contract();
  before(async () => {
    server = await startAttic({ mode: "monolithic" });
    attic.open(server);
  });
  after(async () => {
    await server.stop();
  });

  const rows = async (sql: string, ...values: unknown[]) => await query<Row>(server.databaseUrl, sql, values);
  const push = async ({ info, nar }: Path) => {
    const headers = { "x-attic-nar-info": JSON.stringify(info) };
    const answer = await attic.call("PUT", "/_api/v1/upload-path", { body: nar, headers });
    assert.equal(answer.status, 200, answer.text);
  };
  const NAR = `SELECT nar.* FROM nar JOIN object ON object.nar_id = nar.id WHERE store_path_hash = $1`;
  const CHUNKS = `SELECT chunk.*, chunkref.seq FROM chunk JOIN chunkref ON chunkref.chunk_id = chunk.id
    JOIN object USING (nar_id) WHERE store_path_hash = $1 ORDER BY seq`;
  const accessed = async (hash: string) => {
    const [row] = await rows("SELECT last_accessed_at AS at FROM object WHERE store_path_hash = $1", hash);
    return row?.at as Date | null;
  };

  it("have a cache as it was made", async () => {
    const cache = await attic.cache({ is_public: true, upstream_cache_key_names: ["a-1", "b"] });
    const [row] = await rows("SELECT * FROM cache WHERE name = $1", cache);
    const { id, keypair, created_at, ...rest } = row ?? {};
    assert.match(String(id), /^\d+$/);
    assert.match(String(keypair), new RegExp(`^${cache}:[A-Za-z0-9+/]{86}==$`));
    assert.ok(created_at instanceof Date);
    assert.deepEqual(rest, {
      name: cache,
      is_public: true,
      store_dir: "/nix/store",
      priority: 41,
      upstream_cache_key_names: '["a-1","b"]',
      deleted_at: null,
      retention_period: null,
    });
  });

  it("have retention in seconds, null for the default and 0 for never", async () => {
    const cache = await attic.cache();
    for (const [period, expected] of [
      [{ Period: 60 }, 60],
      [{ Period: 0 }, 0],
      ["Global", null],
    ]) {
      const json = { retention_period: period };
      (await attic.call("PATCH", `/_api/v1/cache-config/${cache}`, { json })).isDone();
      const [row] = await rows("SELECT retention_period AS seconds FROM cache WHERE name = $1", cache);
      assert.deepEqual(row, { seconds: expected });
    }
  });

  it("have a path as it was pushed, but for its system, and by whom", async () => {
    const path = makePath(await attic.cache(), 100, {
      references: ["a", "b"],
      system: "x86_64-linux",
      deriver: "x.drv",
      sigs: ["k:AA=="],
      ca: "fixed:x",
    });
    await push(path);
    const [row] = await rows("SELECT * FROM object WHERE store_path_hash = $1", path.hash);
    const { id: _id, cache_id: _cache, nar_id: _nar, created_at: _at, ...rest } = row ?? {};
    assert.deepEqual(rest, {
      store_path_hash: path.hash,
      store_path: path.info.store_path,
      references: '["a","b"]',
      system: null,
      deriver: "x.drv",
      sigs: '["k:AA=="]',
      ca: "fixed:x",
      last_accessed_at: null,
      created_by: "contract",
    });
  });

  it("have a small NAR as one chunk, which lies where the row says", async () => {
    const path = makePath(await attic.cache(), 100);
    await push(path);
    await settled();
    const [nar] = await rows(NAR, path.hash);
    const { id: _id, created_at: _at, ...rest } = nar ?? {};
    assert.deepEqual(rest, {
      state: "V",
      nar_hash: sha256(path.nar),
      nar_size: String(path.nar.length),
      compression: "zstd",
      num_chunks: 1,
      holders_count: 0,
    });
    const chunks = await rows(CHUNKS, path.hash);
    assert.equal(chunks.length, 1);
    const {
      id: _chunk,
      created_at: _created,
      file_hash,
      file_size,
      remote_file,
      remote_file_id,
      ...chunk
    } = chunks[0]!;
    assert.deepEqual(chunk, {
      state: "V",
      chunk_hash: sha256(path.nar),
      chunk_size: String(path.nar.length),
      compression: "zstd",
      holders_count: 0,
      seq: 0,
    });
    assert.match(String(file_hash), /^sha256:[0-9a-f]{64}$/);
    assert.match(String(file_size), /^\d+$/);
    const { name } = (JSON.parse(String(remote_file)) as { Local: { name: string } }).Local;
    assert.match(name, /^[0-9a-f-]{36}\.chunk$/);
    assert.equal(remote_file_id, `local:${name}`);
    assert.ok(existsSync(join(server.store, name.slice(0, 1), name.slice(0, 2), name)));
  });

  it("have a large NAR as chunks within the configured sizes, in their order and nothing over", async () => {
    const path = makePath(await attic.cache(), 2_000_000);
    await push(path);
    await settled();
    const [nar] = await rows(NAR, path.hash);
    const chunks = await rows(CHUNKS, path.hash);
    assert.deepEqual([nar?.state, nar?.num_chunks, nar?.holders_count], ["V", chunks.length, 0]);
    let place = 0;
    for (const [index, { seq, chunk_size, chunk_hash, state, holders_count }] of chunks.entries()) {
      const size = Number(chunk_size);
      assert.deepEqual({ seq, state, holders_count }, { seq: index, state: "V", holders_count: 0 });
      assert.equal(chunk_hash, sha256(path.nar.subarray(place, place + size)));
      assert.ok(size <= 262_144 && (size >= 16_384 || index === chunks.length - 1), `${size}`);
      place += size;
    }
    assert.equal(place, path.nar.length);
  });

  it("have a NAR and its chunks once where two caches have it", async () => {
    const [one, other] = [await attic.cache(), await attic.cache()];
    const path = makePath(one, 1000);
    const twin = pathOf(other, path.nar);
    await push(path);
    await settled();
    await push(twin);
    const ids = await rows(
      "SELECT nar_id FROM object WHERE store_path_hash IN ($1, $2)",
      path.hash,
      twin.hash,
    );
    assert.equal(ids.length, 2);
    assert.deepEqual(ids[0], ids[1]);
    const hash = sha256(path.nar);
    assert.deepEqual(await rows("SELECT count(*)::int FROM nar WHERE nar_hash = $1", hash), [{ count: 1 }]);
  });

  it("keep nothing of a push that was refused", async () => {
    const counts = async () => {
      await settled();
      const tables = ["nar", "chunk", "chunkref", "object"].map(
        (name) => `(SELECT count(*) FROM ${name}) ${name}`,
      );
      return (await rows(`SELECT ${tables.join(", ")}`))[0];
    };
    const cache = await attic.cache();
    const before = await counts();
    const path = makePath(cache, 1000, { nar_hash: sha256(randomBytes(8)) });
    const headers = { "x-attic-nar-info": JSON.stringify(path.info) };
    const answer = await attic.call("PUT", "/_api/v1/upload-path", { body: path.nar, headers });
    answer.isRefused("RequestError");
    assert.deepEqual(await counts(), before);
  });

  it("note an access when the NAR is fetched, and at no other time", async () => {
    const cache = await attic.cache();
    for (const size of [100, 500_000]) {
      const path = makePath(cache, size);
      await push(path);
      for (const method of ["GET", "HEAD"]) await attic.call(method, `/${cache}/${path.hash}.narinfo`);
      await attic.call("GET", `/${cache}/nar/${path.hash}.nar`, { token: null });
      assert.equal(await accessed(path.hash), null);
      await attic.call("GET", `/${cache}/nar/${path.hash}.nar`);
      const first = await accessed(path.hash);
      assert.ok(first !== null);
      await attic.call("HEAD", `/${cache}/nar/${path.hash}.nar`);
      assert.ok((await accessed(path.hash))! > first);
    }
  });

  it("forget the access when the path is pushed again", async () => {
    const cache = await attic.cache();
    const path = makePath(cache, 100);
    await push(path);
    await attic.call("GET", `/${cache}/nar/${path.hash}.nar`);
    assert.ok((await accessed(path.hash)) !== null);
    await push(path);
    assert.equal(await accessed(path.hash), null);
  });

  it("of a destroyed cache go, and those of its paths, while NARs stay for the collector", async () => {
    const cache = await attic.cache();
    const path = makePath(cache, 100);
    await push(path);
    (await attic.call("DELETE", `/_api/v1/cache-config/${cache}`)).isDone();
    assert.deepEqual(await rows("SELECT id FROM cache WHERE name = $1", cache), []);
    assert.deepEqual(await rows("SELECT id FROM object WHERE store_path_hash = $1", path.hash), []);
    assert.equal((await rows("SELECT id FROM nar WHERE nar_hash = $1", sha256(path.nar))).length, 1);
  });

  it("that are damaged are answered as the real server does", async () => {
    const cache = await attic.cache();
    const path = pathOf(cache, archive(randomBytes(500_000)));
    await push(path);
    const where = `/${cache}/nar/${path.hash}.nar`;
    const [chunk] = await rows(CHUNKS, path.hash);
    await rows("DELETE FROM chunk WHERE id = $1", chunk?.id);
    const lost = await attic.call("GET", where);
    assert.deepEqual(JSON.parse(lost.text), {
      code: 503,
      error: "IncompleteNar",
      message: "The requested NAR has missing chunks and needs to be repaired.",
    });
    await rows("DELETE FROM chunkref WHERE chunk_id IS NULL");
    const fewer = await attic.call("GET", where);
    assert.deepEqual(JSON.parse(fewer.text), {
      code: 500,
      error: "InternalServerError",
      message: "The server encountered an internal error or misconfiguration.",
    });
  });

  it("of a softly deleted cache stay, and hide it", async () => {
    const cache = await attic.cache();
    await rows("UPDATE cache SET deleted_at = now() WHERE name = $1", cache);
    (await attic.call("GET", `/_api/v1/cache-config/${cache}`)).isRefused("NoSuchCache");
    const json = { ...{ keypair: "Generate", is_public: false, store_dir: "/", priority: 1 } };
    const again = { ...json, upstream_cache_key_names: [] };
    (await attic.call("POST", `/_api/v1/cache-config/${cache}`, { json: again })).isRefused(
      "CacheAlreadyExists",
    );
    (await attic.call("DELETE", `/_api/v1/cache-config/${cache}`)).isRefused("NoSuchCache");
    assert.equal((await rows("SELECT id FROM cache WHERE name = $1", cache)).length, 1);
  });

  /** Waits until nobody holds anything, because the real server lets go only after it has answered. */
  async function settled(): Promise<void> {
    const held =
      "SELECT FROM nar WHERE holders_count > 0 UNION ALL SELECT FROM chunk WHERE holders_count > 0";
    for (let tries = 0; tries < 100 && (await rows(held)).length > 0; tries += 1) await sleep(20);
  }
});
