import assert from "node:assert/strict";
import { cp, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { decodeJwt } from "jose";
import { adminToken } from "../../../components/attic/admin-token.ts";
import { generateKeypair, publicKeyOf } from "../../../components/attic/keypair.ts";
import { ROOT } from "../../../sandbox/paths.ts";
import { DECLARED, KEYPAIRS } from "../../fixtures/state-v1.ts";
import type { CacheStack } from "../../support/cache-stack.ts";
import { CacheWorld } from "../../support/cache-world.ts";
import type { State } from "../../support/sandbox.ts";

/** In bytes. */
const LARGEST = 2560;

describe("the state of caches and tokens", () => {
  let world: CacheWorld;
  before(async () => {
    world = await CacheWorld.start();
  });
  after(() => world.stop());

  describe("as the engine writes it", () => {
    let stack: CacheStack;
    let state: State;
    before(async () => {
      const names = Array.from({ length: 20 }, (_, index) => `payments-team-nightly-${index}`);
      stack = await world.open({
        inComponent: true,
        caches: Object.fromEntries(
          names.map((name, index) => [
            `attic-cache-${name}`,
            {
              name,
              isPublic: true,
              retention: "90d",
              upstreamCacheKeyNames: ["cache.nixos.org-1", "nix-community.cachix.org-1"],
              ...(index < 10 && { keypair: generateKeypair(`${name}-1`) }),
            },
          ]),
        ),
        tokens: { "attic-token-ci": { subject: "ci", permissions: [{ cache: "*", allow: ["pull"] }] } },
      });
      const { ok, messages } = await stack.up();
      assert.equal(ok, true, messages.join("\n"));
      const { stdout } = await stack.cli("stack", "export");
      state = JSON.parse(stdout) as State;
    });

    it(`is at most ${LARGEST} bytes a cache`, () => {
      const caches = (state.deployment.resources ?? []).filter(({ type }) => type === "attic:index:Cache");
      const sizes = caches.map((resource) => JSON.stringify(resource, undefined, 4).length);
      assert.equal(sizes.length, 20);
      assert.deepEqual(
        sizes.filter((size) => size > LARGEST),
        [],
      );
    });

    it("holds nothing of the provider's code", () => {
      for (const resource of state.deployment.resources ?? []) {
        const { inputs = {}, outputs = {} } = resource as typeof resource & { inputs?: object };
        assert.deepEqual(
          [...Object.keys(inputs), ...Object.keys(outputs)].filter((name) => name.startsWith("__")),
          [],
        );
        assert.doesNotMatch(JSON.stringify([inputs, outputs]), /function|=>|require\(|import\(|\.ts\b/);
      }
    });

    after(() => stack.destroy());

    it("is left as it is by a provider whose code and version are others", async () => {
      const copy = await mkdtemp(join(tmpdir(), "attic-stack-plugin-"));
      try {
        for (const folder of ["provider", "components"])
          await cp(join(ROOT, folder), join(copy, folder), { recursive: true });
        await symlink(join(ROOT, "node_modules"), join(copy, "node_modules"));
        const manifest = JSON.parse(await readFile(join(ROOT, "package.json"), "utf8")) as Record<
          string,
          unknown
        >;
        await writeFile(join(copy, "package.json"), JSON.stringify({ ...manifest, version: "9.9.9" }));
        const code = join(copy, "provider/attic/cache.ts");
        const mark = join(copy, "was-here");
        const more = `process.getBuiltinModule("node:fs").writeFileSync(${JSON.stringify(mark)}, "");`;
        await writeFile(code, `${await readFile(code, "utf8")}${more}`);
        await stack.usePlugin(join(copy, "provider/attic"));
        world.proxy.forget();
        const { steps, messages } = await stack.up();
        assert.deepEqual([steps, messages, world.proxy.seen], [[], [], []]);
        assert.equal(await readFile(mark, "utf8"), "");
      } finally {
        await stack.usePlugin(join(ROOT, "provider/attic"));
        await rm(copy, { recursive: true });
      }
    });
  });

  describe("as version 0.1.0 wrote it", () => {
    let stack: CacheStack;
    before(async () => {
      const retention_period = { Period: 14 * 86_400 };
      await world.api.create("main", { is_public: true, keypair: { Keypair: KEYPAIRS.main } });
      await world.api.configure("main", { retention_period });
      const more = { priority: 30, upstream_cache_key_names: [], keypair: { Keypair: KEYPAIRS.keyed } };
      await world.api.create("keyed", more);
      const env = {
        ATTIC_SERVER_URL: world.proxy.url,
        ATTIC_ADMIN_TOKEN: await adminToken(world.attic.key, {})(),
      };
      stack = await world.open(structuredClone(DECLARED), { env });
      const text = await readFile(join(ROOT, "test/fixtures/state-v1.json"), "utf8");
      await stack.setState(JSON.parse(text) as State);
      world.proxy.forget();
    });

    it("is read: nothing is to be done where the same is declared, and its secrets are known", async () => {
      const { ok, steps, outputs } = await stack.up();
      assert.deepEqual([ok, steps, world.proxy.seen], [true, [], []]);
      assert.equal(decodeJwt(outputs.ci?.value as string).sub, "ci");
    });

    it("is refreshed: what is there is as it was, and what is gone is found to be", async () => {
      const { ok, steps, messages } = await stack.refresh();
      assert.deepEqual([ok, steps], [true, ["delete gone"]]);
      assert.deepEqual(messages, [
        "info: ATTIC_SERVER_URL and ATTIC_ADMIN_TOKEN come from the environment, before what the stack says.",
        "warning: The cache gone is gone from the server. The next update makes it again, empty, and its public key changes: give the new one to every client.",
      ]);
      assert.deepEqual(world.proxy.calls.sort(), ["GET gone", "GET keyed", "GET main"]);
    });

    it("is gone on with: what is gone is made again, what has changed is changed", async () => {
      stack.declared.caches!.main!.priority = 5;
      stack.declared.tokens!.ci!.subject = "builder";
      const { ok, steps } = await stack.up();
      assert.deepEqual([ok, steps.sort()], [true, ["create gone", "update ci", "update main"]]);
      assert.deepEqual(await world.api.publicKeys(), {
        gone: (await world.api.config("gone")).public_key,
        keyed: publicKeyOf(KEYPAIRS.keyed),
        main: publicKeyOf(KEYPAIRS.main),
      });
    });

    it("is destroyed", async () => {
      assert.equal((await stack.destroy()).ok, true);
      assert.deepEqual(await world.api.names(), []);
    });
  });
});
