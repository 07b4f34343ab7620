import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { after, before, describe, it } from "mocha";
import { INDEX_PREFIX } from "../../../components/edge/layout.ts";
import { Database } from "../../../jobs/mirror/database/database.ts";
import { IndexWriter } from "../../../jobs/mirror/index/index.ts";
import { toNixBase32 } from "../../../sandbox/attic/nix/base32.ts";
import type { Command } from "../../support/command.ts";
import { MirrorWorld } from "../../support/mirror.ts";
import { Proxy } from "../../support/proxy.ts";
import { bigPath, insertRows } from "./support/synthetic.ts";

/** In MiB; may be more, to be watched by a person. */
const BIG = Number(process.env.MIRROR_TEST_MIB ?? 300);
const ROWS = 100_000;

describe("the mirror's size", function () {
  this.timeout(600_000);
  let world: MirrorWorld;
  let attic: Proxy;
  let store: Proxy;
  before(async () => {
    world = await MirrorWorld.start();
    await world.api.create("main");
    attic = await Proxy.start(world.attic.url);
    store = await Proxy.start(`${world.env.S3_ENDPOINT ?? ""}/`);
  });
  after(async () => {
    await attic.stop();
    await store.stop();
    await world.stop();
  });

  it("stays the same however large a NAR is", async () => {
    const { path, serve } = await bigPath(world, "main", BIG);
    attic.fault = serve;
    const memory = new MemoryWatch();
    const command = world.begin({ env: { ATTIC_URL: attic.url } });
    memory.watch(command);
    const { code, stdout } = await command.result;
    assert.equal(code, 0, stdout);
    assert.deepEqual(await world.bucket.paths(), [path.hash]);
    const info = await world.bucket.narInfo(path.hash);
    assert.equal(info.NarSize, String(path.narSize));
    assert.equal(await world.bucket.unfinished(), 0);
    assert.ok(memory.most < 250, `${memory.most} MiB`);
    if (process.env.MIRROR_TEST_MIB !== undefined) console.log(`      ${memory.most} MiB of memory`);
  });

  it("asks the store at most five times where nothing is new in 100,000 paths", async () => {
    const name = "many";
    await world.api.create(name);
    const hashes = Array.from({ length: ROWS }, () => toNixBase32(randomBytes(20)));
    await insertRows(world, name, hashes, `sha256:${"0".repeat(64)}`, 100);
    const env = { S3_ENDPOINT: store.url.replace(/\/$/, "") };
    await pretendMirrored(world, name);
    store.forget();
    const memory = new MemoryWatch();
    const command = world.begin({ env, config: { caches: [name] } });
    memory.watch(command);
    const began = performance.now();
    const { code, stdout } = await command.result;
    if (process.env.MIRROR_TEST_MIB !== undefined)
      console.log(`      ${Math.round(performance.now() - began)} ms, ${memory.most} MiB`);
    assert.equal(code, 0, stdout);
    assert.ok(store.seen.length <= 5, store.calls.join(", "));
    assert.deepEqual(store.calls, ["GET memo.json", "GET paths", "PUT status.json"]);
    assert.ok(memory.most < 200, `${memory.most} MiB`);
    assert.equal((await world.status()).caches[name]?.paths, ROWS);
  });
});

/** Writes an index that says that all is at the edge. */
async function pretendMirrored(world: MirrorWorld, cache: string): Promise<void> {
  const { createHash } = await import("node:crypto");
  const { public_key: key } = await world.api.config(cache);
  const tag = createHash("sha256").update(key).digest("hex").slice(0, 8);
  const database = await Database.connect({ url: world.attic.databaseUrl }, 30_000);
  const writer = new IndexWriter();
  for await (const rows of database.rows([cache]))
    for (const { hash, narHash, stamp } of rows) {
      const etag = randomBytes(16).toString("hex");
      const suffix = toNixBase32(randomBytes(8)).slice(-12);
      const fileHash = toNixBase32(randomBytes(32));
      writer.entry({
        cache,
        hash,
        file: `${narHash}-${suffix}.nar.zst`,
        fileHash,
        fileSize: 90,
        stamp: stamp + tag,
        etag,
      });
    }
  await database.close();
  const info = "StoreDir: /nix/store\nWantMassQuery: 1\nPriority: 41\n";
  const caches = { [cache]: { info, paths: ROWS, nars: ROWS, bytes: 90 * ROWS } };
  const listedAt = Math.floor(Date.now() / 1000);
  await world.bucket.put(`${INDEX_PREFIX}paths`, writer.finish({ version: 1, run: "x", listedAt, caches }));
  await world.bucket.put(`${INDEX_PREFIX}memo.json`, JSON.stringify({ version: 1, run: "x", readsUntil: 0 }));
}

/** The most memory that a process has had, in MiB. */
class MemoryWatch {
  most = 0;

  watch({ pid, result }: Command): void {
    const timer = setInterval(() => {
      try {
        const peak = /VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1];
        this.most = Math.max(this.most, Math.round(Number(peak ?? 0) / 1024));
      } catch {
        // It has ended.
      }
    }, 10);
    void result.finally(() => {
      clearInterval(timer);
    });
  }
}
