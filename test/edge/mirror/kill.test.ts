import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import { after, before, describe, it } from "mocha";
import { type Path, pathOf } from "../../contract/support/nar.ts";
import { MirrorWorld } from "../../support/mirror.ts";
import { randomNumbers } from "../../support/random.ts";

const KILLS = Number(process.env.MIRROR_TEST_KILLS ?? 200);
/** How long a run takes at most that has this little to do, in milliseconds. */
const RUN = 450;

describe("the mirror, killed", function () {
  this.timeout(240_000);
  let world: MirrorWorld;
  let key: string;
  before(async () => {
    world = await MirrorWorld.start();
    await world.api.create("main");
    key = (await world.api.config("main")).public_key;
  });
  after(() => world.stop());

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
      const command = world.begin({ config: { graceSeconds: random() < 0.5 ? 0 : 3600 } });
      await sleep(random() * RUN);
      if (!command.hasEnded) {
        command.kill();
        killed += 1;
      }
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

/** Pushes the same NAR under another name. */
async function pushTwin(world: MirrorWorld, { nar }: Path): Promise<Path> {
  const twin = pathOf("main", nar);
  await world.push(twin);
  return twin;
}
