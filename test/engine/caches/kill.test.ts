import assert from "node:assert/strict";
import { killedAtRandom } from "../../support/cache-kill.ts";
import type { CacheStack } from "../../support/cache-stack.ts";
import { CacheWorld } from "../../support/cache-world.ts";
import type { Command } from "../../support/command.ts";
import { randomNumbers } from "../../support/random.ts";

/** The same seed gives the same moments: `TEST_SEED=7 npm test engine`. */
const SEED = Number(process.env.TEST_SEED ?? Date.now() % 1_000_000);
const KILLS = 50;
const NAMES = Array.from({ length: 100 }, (_, index) => `cache-${index}`).sort();
const UP = ["up", "--yes", "--skip-preview"];
const DESTROY = ["destroy", "--yes", "--skip-preview"];

describe(`an update of a hundred caches that is killed ${KILLS} times (TEST_SEED=${SEED})`, function () {
  this.timeout(1_200_000);
  const random = randomNumbers(SEED);
  let world: CacheWorld;
  let stack: CacheStack;
  /** How long a whole update takes, in milliseconds. */
  let whole = 0;
  let kills = 0;

  before(async () => {
    world = await CacheWorld.start();
    const caches = NAMES.map((name) => [name, { name, retention: "90d" }] as const);
    stack = await world.open({ caches: Object.fromEntries(caches) });
  });
  after(() => world.stop());

  it("makes them all where nobody kills it", async () => {
    const began = performance.now();
    await finished(await stack.command(...UP));
    whole = performance.now() - began;
    await isWhole();
    await destroyed();
  });

  it("makes each of them once, and knows them all, whenever it was killed and run again", async () => {
    while (kills < KILLS) {
      if (await isKilled(UP)) {
        kills += 1;
        await stack.recover();
      } else {
        await isWhole();
        await destroyed();
      }
    }
    await finished(await stack.command(...UP));
    await isWhole();
    assert.deepEqual((await stack.up()).steps, []);
  });

  it("deletes them all, though that was killed too", async () => {
    for (let times = 0; times === 0;) {
      while (await isKilled(DESTROY)) {
        times += 1;
        await stack.recover();
      }
      await isGone();
      // It was quicker than the moment that was drawn for it.
      if (times === 0) await finished(await stack.command(...UP));
    }
  });

  it("makes each of them once by pulumi cancel and pulumi up, with what was begun still in the state", async () => {
    const pending: number[] = [];
    while (pending.filter((count) => count > 0).length < 3) {
      if (await isKilled(UP)) {
        assert.equal((await stack.cli("cancel", "--yes")).code, 0);
        pending.push(((await stack.state()).deployment.pending_operations ?? []).length);
      } else await destroyed();
    }
    await finished(await stack.command(...UP));
    await isWhole();
    // The engine keeps a note of what was begun until it is told that there is nothing to it.
    await finished(await stack.command("refresh", "--yes", "--skip-preview", "--clear-pending-creates"));
    assert.equal((await stack.state()).deployment.pending_operations, undefined);
    await isWhole();
    assert.deepEqual((await stack.up()).steps, []);
    await destroyed();
  });

  async function isKilled(args: readonly string[]): Promise<boolean> {
    return await killedAtRandom(stack, world.proxy, args, { random, whole, calls: 60 });
  }

  async function finished(command: Command): Promise<void> {
    const { code, stdout, stderr } = await command.result;
    assert.equal(code, 0, stdout + stderr);
  }

  /** Checks that the server has just what is declared, that the state knows it, and that nothing is left to do. */
  async function isWhole(): Promise<void> {
    const keys = await world.api.publicKeys();
    assert.deepEqual(Object.keys(keys).sort(), NAMES);
    const { resources = [] } = (await stack.state()).deployment;
    const known = resources.flatMap(({ type, id = "", outputs }) =>
      type === "attic:index:Cache" ? [[id, outputs?.publicKey as string] as const] : [],
    );
    assert.equal(known.length, NAMES.length);
    assert.deepEqual(Object.fromEntries(known), keys);
    for (const name of NAMES)
      assert.deepEqual((await world.api.config(name)).retention_period, { Period: 90 * 86_400 }, name);
  }

  async function destroyed(): Promise<void> {
    await finished(await stack.command(...DESTROY));
    await isGone();
  }

  async function isGone(): Promise<void> {
    assert.deepEqual(await world.api.names(), []);
    assert.deepEqual((await stack.state()).deployment.resources ?? [], []);
  }
});
