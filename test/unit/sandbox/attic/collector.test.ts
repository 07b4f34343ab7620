import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { readdirSync, rmSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { after, afterEach, before, beforeEach, describe, it } from "mocha";
import { Contract } from "../../../contract/support/contract.ts";
import { archive } from "../../../../sandbox/welcome/store-path.ts";
import { pathOf, type Path } from "../../../contract/support/nar.ts";
import { startAttic, type TestAttic } from "../../../support/attic-server.ts";
import { Postgres, query } from "../../../support/postgres.ts";

const DAY = 86_400;

describe("the garbage collector", () => {
  let postgres: Postgres;
  let server: TestAttic;
  let attic: Contract;
  before(async () => {
    postgres = await Postgres.start();
  });
  after(async () => {
    await postgres.stop();
  });

  const start = async (retention: string) => {
    server = await startAttic({
      postgres,
      toml: { "garbage-collection": { interval: "0s", "default-retention-period": retention } },
    });
    attic = new Contract();
    attic.open(server);
  };
  const sql = async (text: string, ...values: unknown[]) => await query(server.databaseUrl, text, values);
  const push = async (cache: string, nar = archive(randomBytes(100))): Promise<Path> => {
    const path = pathOf(cache, nar);
    const headers = { "x-attic-nar-info": JSON.stringify(path.info) };
    const answer = await attic.call("PUT", "/_api/v1/upload-path", { body: path.nar, headers });
    assert.equal(answer.status, 200, answer.text);
    return path;
  };
  /** Makes a path so many days old, and the last access to it, where there was one. */
  const age = async ({ hash }: Path, created: number, accessed?: number) =>
    await sql(
      `UPDATE object SET created_at = now() - make_interval(days => $2),
         last_accessed_at = now() - make_interval(days => $3) WHERE store_path_hash = $1`,
      ...[hash, created, accessed],
    );
  const collect = async () => {
    const held =
      "SELECT FROM nar WHERE holders_count > 0 UNION ALL SELECT FROM chunk WHERE holders_count > 0";
    for (let tries = 0; tries < 100 && (await sql(held)).length > 0; tries += 1) await sleep(20);
    const { code, stderr } = await server.once("garbage-collector-once");
    assert.equal(code, 0, stderr);
  };
  const isThere = async (cache: string, { hash }: Path) =>
    (await attic.call("GET", `/${cache}/${hash}.narinfo`)).status === 200;
  const count = async (table: string) => Number((await sql(`SELECT count(*) FROM ${table}`))[0]?.count);
  const files = () =>
    readdirSync(server.store, { recursive: true, encoding: "utf8" }).filter((name) =>
      name.endsWith(".chunk"),
    );
  const retain = async (cache: string, period: unknown) => {
    const json = { retention_period: period };
    (await attic.call("PATCH", `/_api/v1/cache-config/${cache}`, { json })).isDone();
  };

  describe("with a default of 30 days", () => {
    beforeEach(async () => {
      await start("30days");
    });
    afterEach(async () => {
      await server.stop();
    });

    it("deletes what was neither pushed nor fetched within that time", async () => {
      const cache = await attic.cache();
      const [old, fresh, fetched, long] = [
        await push(cache),
        await push(cache),
        await push(cache),
        await push(cache),
      ];
      await age(old, 31);
      await age(fresh, 29);
      await age(fetched, 100, 29);
      await age(long, 100, 31);
      await collect();
      const left = await Promise.all([old, fresh, fetched, long].map((path) => isThere(cache, path)));
      assert.deepEqual(left, [false, true, true, false]);
      assert.deepEqual([await count("object"), await count("nar"), await count("chunk")], [2, 2, 2]);
      assert.equal(files().length, 2);
    });

    it("takes a cache's own time where it has one, and never where that is 0", async () => {
      const [short, never, long] = [await attic.cache(), await attic.cache(), await attic.cache()];
      await retain(short, { Period: DAY });
      await retain(never, { Period: 0 });
      await retain(long, { Period: 365 * DAY });
      const paths = await Promise.all([short, never, long].map((cache) => push(cache)));
      for (const path of paths) await age(path, 100);
      await collect();
      const left = await Promise.all(paths.map((path, index) => isThere([short, never, long][index]!, path)));
      assert.deepEqual(left, [false, true, true]);
    });

    it("goes by the default again where a cache's own time is taken away", async () => {
      const cache = await attic.cache();
      await retain(cache, { Period: 0 });
      const path = await push(cache);
      await age(path, 31);
      await collect();
      assert.ok(await isThere(cache, path));
      await retain(cache, "Global");
      await collect();
      assert.equal(await isThere(cache, path), false);
    });

    it("keeps a NAR that another cache has", async () => {
      const [one, other] = [await attic.cache(), await attic.cache()];
      const path = await push(one);
      await sleep(100);
      const twin = await push(other, path.nar);
      await age(path, 31);
      await collect();
      assert.deepEqual([await isThere(one, path), await isThere(other, twin)], [false, true]);
      assert.equal((await attic.call("GET", `/${other}/nar/${twin.hash}.nar`)).status, 200);
    });

    it("keeps the chunks that another NAR has, and deletes the others", async () => {
      const cache = await attic.cache();
      const content = randomBytes(2_000_000);
      const path = await push(cache, archive(content));
      await sleep(100);
      content.writeUInt8(content.readUInt8(0) ^ 1);
      const similar = await push(cache, archive(content));
      const before = files().length;
      await age(path, 31);
      await collect();
      const needed = await count("chunkref");
      assert.ok(needed > 2 && files().length < before);
      assert.equal(files().length, await count("chunk"));
      const nar = await attic.call("GET", `/${cache}/nar/${similar.hash}.nar`);
      assert.equal(nar.status, 200);
    });
  });

  describe("with no default", () => {
    before(async () => {
      await start("0s");
    });
    after(async () => {
      await server.stop();
    });

    it("deletes nothing for its age", async () => {
      const cache = await attic.cache();
      const path = await push(cache);
      await age(path, 10_000);
      await collect();
      assert.ok(await isThere(cache, path));
    });

    it("deletes what a destroyed cache had", async () => {
      const cache = await attic.cache();
      const before = [await count("nar"), await count("chunk"), files().length];
      await push(cache, archive(randomBytes(500_000)));
      (await attic.call("DELETE", `/_api/v1/cache-config/${cache}`)).isDone();
      await collect();
      assert.deepEqual([await count("nar"), await count("chunk"), files().length], before);
    });

    it("leaves alone what is being uploaded, and what somebody holds", async () => {
      const cache = await attic.cache();
      const before = await count("chunk");
      await push(cache);
      await sleep(100);
      await sql("UPDATE nar SET holders_count = 1");
      (await attic.call("DELETE", `/_api/v1/cache-config/${cache}`)).isDone();
      const { code } = await server.once("garbage-collector-once");
      assert.deepEqual([code, await count("chunk")], [0, before + 1]);
      await sql("UPDATE nar SET holders_count = 0, state = 'P'");
      await collect();
      assert.equal(await count("chunk"), before + 1);
      await sql("UPDATE nar SET state = 'V'");
      await collect();
      assert.equal(await count("chunk"), before);
    });

    it("keeps a chunk in mind that it cannot delete, and deletes the others", async () => {
      const cache = await attic.cache();
      const known = new Set(files());
      await push(cache);
      const [lost] = files().filter((name) => !known.has(name));
      await push(cache);
      (await attic.call("DELETE", `/_api/v1/cache-config/${cache}`)).isDone();
      rmSync(`${server.store}/${lost!}`);
      await collect();
      const [{ id, state } = { id: "", state: "" }] = await sql(
        "SELECT id, state FROM chunk WHERE state <> 'V'",
      );
      assert.equal(state, "D");
      assert.deepEqual(new Set(files()), new Set([...known].filter((name) => name !== lost)));
      await sql("DELETE FROM chunk WHERE id = $1", id);
    });
  });
});
