import assert from "node:assert/strict";
import { generateKeypair, publicKeyOf } from "../../../components/attic/keypair.ts";
import { killedAtRandom } from "../../support/cache-kill.ts";
import type { CacheStack } from "../../support/cache-stack.ts";
import { CacheWorld } from "../../support/cache-world.ts";
import type { Declared } from "../../support/declared.ts";
import { randomNumbers } from "../../support/random.ts";

/** The same seed gives the same moments: `TEST_SEED=7 npm test engine`. */
const SEED = Number(process.env.TEST_SEED ?? Date.now() % 1_000_000);
const KILLS = 5;
const RESOURCES = Array.from({ length: 8 }, (_, index) => `cache-${index}`);
const UP = ["up", "--yes", "--skip-preview"];

type DeclaredCache = NonNullable<Declared["caches"]>[string];

interface Change {
  what: string;
  /** The calls that it makes for each cache. */
  calls: number;
  /** How a cache is declared in each round. */
  declare: (name: string, round: number) => DeclaredCache;
  /** What has to happen before each round. */
  prepare?: () => Promise<void>;
  /** What has to be on the server for each cache, beside what the state knows. */
  check?: (cache: DeclaredCache) => Promise<void>;
}

describe(`changes of caches that are killed (TEST_SEED=${SEED})`, function () {
  this.timeout(600_000);
  const random = randomNumbers(SEED);
  let world: CacheWorld;
  let stack: CacheStack;
  /** How long an update takes that makes them all, in milliseconds. */
  let whole = 0;
  /** The keys of the caches that are to be adopted. */
  let keys: Record<string, string> = {};

  before(async () => {
    world = await CacheWorld.start();
    stack = await world.open({ caches: Object.fromEntries(RESOURCES.map((name) => [name, { name }])) });
    const began = performance.now();
    await finished();
    whole = performance.now() - began;
  });
  after(() => world.stop());

  const changes: Change[] = [
    {
      what: "their names",
      calls: 3,
      declare: (name, round) => ({ name: round % 2 === 0 ? `${name}-again` : name }),
    },
    {
      what: "their retention",
      calls: 2,
      declare: (name, round) => ({ name, retention: `${round + 1}d` }),
      check: async ({ name, retention }) => {
        const { retention_period } = await world.api.config(name);
        assert.deepEqual(retention_period, { Period: Number.parseInt(retention as string) * 86_400 });
      },
    },
    {
      what: "their keypairs",
      calls: 2,
      declare: (name, round) => ({ name, keypair: generateKeypair(`${name}-${round}`) }),
      check: async ({ name, keypair }) => {
        const { public_key } = await world.api.config(name);
        assert.equal(public_key, publicKeyOf(keypair!));
      },
    },
    {
      what: "whose they are",
      calls: 3,
      declare: (name) => ({ name, adopt: true, priority: 5 }),
      prepare: async () => {
        assert.equal((await stack.destroy()).ok, true);
        for (const name of RESOURCES) await world.api.create(name);
        keys = await world.api.publicKeys();
      },
      check: async ({ name }) => {
        const { public_key, priority } = await world.api.config(name);
        assert.deepEqual([public_key, priority], [keys[name], 5]);
      },
    },
  ];

  for (const { what, calls, declare, prepare, check } of changes) {
    it(`of ${what} come to their end, and lose none, though each of ${KILLS} was killed`, async () => {
      let round = 0;
      for (let kills = 0; kills < KILLS; round += 1) {
        await prepare?.();
        stack.declared.caches = Object.fromEntries(RESOURCES.map((name) => [name, declare(name, round)]));
        const moments = { random, whole, calls: calls * RESOURCES.length };
        if (await killedAtRandom(stack, world.proxy, UP, moments)) {
          kills += 1;
          await stack.recover();
          await finished();
        }
        await isWhole();
        for (const cache of Object.values(stack.declared.caches)) await check?.(cache);
      }
      assert.deepEqual((await stack.up()).steps, []);
    });
  }

  async function finished(): Promise<void> {
    const { code, stdout, stderr } = await stack.cli(...UP);
    assert.equal(code, 0, stdout + stderr);
  }

  /** Checks that the server has just what is declared, and that the state knows it. */
  async function isWhole(): Promise<void> {
    const there = await world.api.publicKeys();
    const declared = Object.values(stack.declared.caches ?? {}).map(({ name }) => name);
    assert.deepEqual(Object.keys(there), declared.sort());
    const { resources = [] } = (await stack.state()).deployment;
    const known = resources.flatMap(({ type, id = "", outputs }) =>
      type === "attic:index:Cache" ? [[id, outputs?.publicKey as string] as const] : [],
    );
    assert.equal(known.length, RESOURCES.length);
    assert.deepEqual(Object.fromEntries(known), there);
  }
});
