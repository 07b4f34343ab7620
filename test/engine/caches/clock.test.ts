import assert from "node:assert/strict";
import type { CacheStack } from "../../support/cache-stack.ts";
import { CacheWorld } from "../../support/cache-world.ts";

/** How far clocks may be apart, in milliseconds. */
const SKEW = 5 * 60_000;

describe("tokens that are made by a clock", () => {
  let world: CacheWorld;
  before(async () => {
    world = await CacheWorld.start();
  });
  after(() => world.stop());

  for (const [words, name, skew] of [
    ["behind", "slow", -SKEW],
    ["ahead of", "fast", SKEW],
  ] as const) {
    describe(`five minutes ${words} the server's`, () => {
      let stack: CacheStack;
      let tokens: string[];
      before(async () => {
        const shift = `const now=Date.now;Date.now=()=>now()+${skew}`;
        stack = await world.open(
          {
            caches: { cache: { name, retention: "7d" } },
            tokens: Object.fromEntries(
              ["90d", "11m"].map((validity) => [
                `for-${validity}`,
                { subject: name, permissions: [{ cache: name, allow: ["pull"] }], validity },
              ]),
            ),
          },
          // Of all that the engine starts only the provider is a program of Node's.
          { env: { NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(shift)}` } },
        );
      });
      after(() => stack.destroy());

      it("let the administrator make, read, change and delete a cache", async () => {
        const { ok, messages, outputs } = await stack.up();
        assert.deepEqual([ok, messages], [true, []]);
        tokens = ["for-90d", "for-11m"].map((token) => outputs[token]?.value as string);
        assert.deepEqual((await stack.refresh()).messages, []);
        stack.declared.caches!.cache!.priority = 3;
        assert.deepEqual((await stack.up()).ok, true);
        assert.equal((await world.api.config(name)).priority, 3);
      });

      it("hold at once, also those that hold for eleven minutes", async () => {
        const statuses = tokens.map((token) => world.api.call("GET", `${name}/nix-cache-info`, { token }));
        assert.deepEqual(
          (await Promise.all(statuses)).map(({ status }) => status),
          [200, 200],
        );
      });

      it("were made by that clock", async () => {
        const { expiresAt } = (await stack.resource("for-90d")).outputs ?? {};
        const made = Date.parse(expiresAt as string) - 90 * 86_400_000;
        assert.ok(Math.abs(made - Date.now() - skew) < 2 * 60_000, String(expiresAt));
      });
    });
  }
});
