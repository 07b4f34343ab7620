import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import { after, before, describe, it } from "mocha";
import { type Path, pathOf } from "../../contract/support/nar.ts";
import type { Command } from "../../support/command.ts";
import { MirrorWorld } from "../../support/mirror.ts";
import { Proxy } from "../../support/proxy.ts";
import { randomNumbers } from "../../support/random.ts";

const KILLS = Number(process.env.MIRROR_TEST_KILLS ?? 200);
/** How long after a request of the mirror's it is killed at most, in milliseconds: a request takes some three. */
const LATER = 12;

describe("the mirror, killed", function () {
  this.timeout(240_000);
  let world: MirrorWorld;
  let store: Proxy;
  let key: string;
  before(async () => {
    world = await MirrorWorld.start();
    store = await Proxy.start(`${world.env.S3_ENDPOINT ?? ""}/`);
    await world.api.create("main");
    key = (await world.api.config("main")).public_key;
  });
  after(async () => {
    await store.stop();
    await world.stop();
  });

  it(`at ${KILLS} random moments never leaves a narinfo whose NAR is missing or different, and the next run goes on`, async () => {
    const seed = Number(process.env.TEST_SEED ?? Math.floor(Math.random() * 2 ** 31));
    console.log(`      TEST_SEED=${seed}`);
    const random = randomNumbers(seed);
    const live: Path[] = [];
    let killed = 0;
    while (killed < KILLS) {
      // A large one goes in parts.
      const size = random() < 0.04 ? 9_000_000 : Math.floor(random() * 20_000);
      live.push(...(await world.pushSome("main", 1 + Math.floor(random() * 3), size)));
      const twin = live[Math.floor(random() * live.length)];
      if (twin !== undefined && random() < 0.3) live.push(await pushTwin(world, twin));
      if (live.length > 25) await world.forget(...live.splice(0, 3));
      const env = { S3_ENDPOINT: store.url.replace(/\/$/, "") };
      const command = world.begin({ env, config: { graceSeconds: random() < 0.5 ? 0 : 3600 } });
      // So many requests to the store are begun before it is killed: there are some twenty in a run.
      let left = Math.floor(random() * 24);
      const wait = random() * LATER;
      store.fault = () => {
        left -= 1;
        if (left === 0) setTimeout(() => (killed += kill(command)), wait);
        return false;
      };
      if (left === 0) await sleep(random() * 200).then(() => (killed += kill(command)));
      await command.result;
      assert.deepEqual(await world.bucket.faults(key), [], `after ${killed} kills`);
    }
    const last = await world.run();
    assert.equal(last.code, 0, last.printed);
    assert.deepEqual(await world.bucket.faults(key), []);
    assert.deepEqual(await world.bucket.paths(), live.map(({ hash }) => hash).sort());
    assert.deepEqual(await world.bucket.paths(), await world.served());
    assert.equal(await world.bucket.unfinished(), 0);
    const { paths, nars } = (await world.status()).caches.main!;
    assert.equal(paths, live.length);
    assert.equal(nars, new Set(live.map(({ info }) => info.nar_hash)).size);

    const clean = await world.run({ config: { graceSeconds: 0 } });
    assert.equal(clean.code, 0, clean.printed);
    assert.equal((await world.bucket.nars()).length, nars);
  });
});

/** @returns how many processes that was. */
function kill(command: Command): number {
  if (command.hasEnded) return 0;
  command.kill();
  return 1;
}

/** Pushes the same NAR under another name. */
async function pushTwin(world: MirrorWorld, { nar }: Path): Promise<Path> {
  const twin = pathOf("main", nar);
  await world.push(twin);
  return twin;
}
