import assert from "node:assert/strict";
import { generateKeypair, publicKeyOf } from "../../../components/attic/keypair.ts";
import type { CacheStack } from "../../support/cache-stack.ts";
import { CacheWorld } from "../../support/cache-world.ts";
import type { Declared } from "../../support/declared.ts";

type DeclaredCache = NonNullable<Declared["caches"]>[string];

const DAY = 86_400;
const KEYPAIR = generateKeypair("mine-1");
const PUBLIC_KEY = publicKeyOf(KEYPAIR);

describe("caches in a stack", () => {
  let world: CacheWorld;
  let stack: CacheStack;

  before(async () => {
    world = await CacheWorld.start();
  });
  after(() => world.stop());

  /** What is declared from here on, and what was seen so far is forgotten. */
  const declare = (main?: DeclaredCache) => {
    stack.declared.caches = main === undefined ? {} : { main };
    world.proxy.forget();
  };

  describe("that is made and changed", () => {
    const MAIN: DeclaredCache = { name: "main", retention: "90d" };
    before(async () => {
      stack = await world.open({});
      declare(MAIN);
    });

    it("is previewed without asking the server", async () => {
      const { steps, messages } = await stack.preview();
      assert.deepEqual([steps, messages, world.proxy.seen.length], [["create main"], [], 0]);
    });

    it("is made by two calls, with every default filled in", async () => {
      const { steps, messages, outputs } = await stack.up();
      assert.deepEqual([steps, messages], [["create main"], []]);
      assert.deepEqual(world.proxy.calls, ["POST main", "PATCH main"]);
      const { public_key, substituter_endpoint, api_endpoint, ...config } = await world.api.config("main");
      assert.deepEqual(config, {
        is_public: false,
        store_dir: "/nix/store",
        priority: 41,
        upstream_cache_key_names: ["cache.nixos.org-1"],
        retention_period: { Period: 90 * DAY },
      });
      assert.deepEqual(outputs.main?.value, {
        publicKey: public_key,
        substituter: `${world.proxy.url}main`,
        apiEndpoint: world.proxy.url,
      });
      const { id, outputs: known } = await stack.resource("main");
      assert.equal(id, "main");
      assert.deepEqual(known, {
        name: "main",
        isPublic: false,
        priority: 41,
        storeDir: "/nix/store",
        upstreamCacheKeyNames: ["cache.nixos.org-1"],
        retention: "90d",
        publicKey: public_key,
      });
    });

    it("is left alone by a second update, which does not ask the server", async () => {
      declare(MAIN);
      const { steps, messages } = await stack.up();
      assert.deepEqual([steps, messages], [[], []]);
      assert.deepEqual([world.proxy.seen.length, world.proxy.connections], [0, 0]);
    });

    const changes: { what: keyof DeclaredCache; value: unknown; there: Record<string, unknown> }[] = [
      { what: "isPublic", value: true, there: { is_public: true } },
      { what: "priority", value: -5, there: { priority: -5 } },
      { what: "upstreamCacheKeyNames", value: [], there: { upstream_cache_key_names: [] } },
      { what: "retention", value: "1y", there: { retention_period: { Period: 365 * DAY } } },
      { what: "retention", value: "never", there: { retention_period: { Period: 0 } } },
      { what: "retention", value: "default", there: { retention_period: "Global" } },
      { what: "keypair", value: KEYPAIR, there: { public_key: PUBLIC_KEY } },
    ];
    for (const { what, value, there } of changes) {
      it(`is changed in place by ${what} ${what === "keypair" ? "given" : JSON.stringify(value)}`, async () => {
        const before = await world.api.config("main");
        declare({ ...stack.declared.caches?.main, name: "main", [what]: value });
        const { steps, changed, messages } = await stack.up();
        assert.deepEqual([steps, changed, messages], [["update main"], { main: [what] }, []]);
        assert.deepEqual(world.proxy.calls, ["GET main", "PATCH main"]);
        assert.deepEqual(await world.api.config("main"), { ...before, ...there });
        const { publicKey } = (await stack.resource("main")).outputs ?? {};
        assert.equal(publicKey, there.public_key ?? before.public_key);
      });
    }

    it("keeps its key where one is no longer given", async () => {
      const { keypair, ...rest } = stack.declared.caches?.main ?? { name: "main" };
      declare(rest);
      assert.deepEqual((await stack.up()).steps, []);
      assert.equal((await world.api.config("main")).public_key, PUBLIC_KEY);
    });

    it("is renamed by making the new one before the old one is deleted", async () => {
      declare({ name: "other" });
      const { steps, messages } = await stack.up();
      assert.deepEqual(steps, ["create-replacement main", "replace main", "delete-replaced main"]);
      assert.deepEqual([world.proxy.calls, messages], [["POST other", "GET main", "DELETE main"], []]);
      assert.deepEqual(await world.api.names(), ["other"]);
    });

    it("gets another store by deleting it before it is made again", async () => {
      const before = await world.api.config("other");
      declare({ name: "other", storeDir: "/gnu/store" });
      const { steps } = await stack.up();
      assert.deepEqual(steps, ["delete-replaced main", "replace main", "create-replacement main"]);
      assert.deepEqual(world.proxy.calls, ["GET other", "DELETE other", "POST other"]);
      const there = await world.api.config("other");
      assert.deepEqual(there, { ...before, store_dir: "/gnu/store", public_key: there.public_key });
      assert.equal((await stack.resource("main")).outputs?.publicKey, there.public_key);
    });

    it("is deleted where it is no longer declared", async () => {
      declare();
      const { steps, messages } = await stack.up();
      assert.deepEqual([steps, messages], [["delete main"], []]);
      assert.deepEqual([world.proxy.calls, await world.api.names()], [["GET other", "DELETE other"], []]);
    });
  });

  describe("that somebody else touches", () => {
    const MAIN: DeclaredCache = { name: "main", isPublic: true, retention: "2w" };
    const DRIFT = {
      is_public: false,
      priority: 7,
      store_dir: "/other",
      upstream_cache_key_names: ["x-1"],
      retention_period: { Period: 3 * DAY },
    };
    before(async () => {
      stack = await world.open({});
      declare(MAIN);
      await stack.up();
    });

    it("is read as it is by a refresh, where nothing has changed", async () => {
      declare(MAIN);
      const { steps, messages } = await stack.refresh();
      assert.deepEqual([steps, messages, world.proxy.calls], [[], [], ["GET main"]]);
    });

    it("comes back to what is declared after a refresh has found what was changed", async () => {
      const before = await world.api.config("main");
      await world.api.configure("main", DRIFT);
      declare(MAIN);
      const found = await stack.refresh();
      assert.deepEqual([found.steps, found.messages, world.proxy.calls], [["update main"], [], ["GET main"]]);
      const { steps, changed, messages } = await stack.up();
      assert.deepEqual([steps, messages], [["update main"], []]);
      assert.deepEqual(changed, {
        main: ["isPublic", "priority", "retention", "storeDir", "upstreamCacheKeyNames"],
      });
      assert.deepEqual(await world.api.config("main"), before);
      assert.deepEqual((await stack.up()).steps, []);
    });

    it("gets its store back in place, with what is in it, where only that was changed", async () => {
      const before = await world.api.config("main");
      await world.api.configure("main", { store_dir: DRIFT.store_dir });
      const found = await stack.refresh();
      assert.deepEqual([found.steps, found.messages], [["update main"], []]);
      const { steps, changed, messages } = await stack.up();
      assert.deepEqual([steps, changed, messages], [["update main"], { main: ["storeDir"] }, []]);
      assert.deepEqual(await world.api.config("main"), before);
      assert.deepEqual((await stack.up()).steps, []);
    });

    it("keeps a key that somebody else has put there, and says so, where none is declared", async () => {
      await world.api.configure("main", { keypair: { Keypair: KEYPAIR } });
      const { messages } = await stack.refresh();
      assert.deepEqual(messages, [
        `warning: The public key of the cache main was changed on the server; it is ${PUBLIC_KEY} now.`,
      ]);
      assert.deepEqual((await stack.up()).steps, []);
      assert.equal((await stack.resource("main")).outputs?.publicKey, PUBLIC_KEY);
    });

    it("gets the key back that is declared", async () => {
      declare({ ...MAIN, keypair: KEYPAIR });
      await stack.up();
      await world.api.configure("main", { keypair: "Generate" });
      assert.equal((await stack.refresh()).messages.length, 1);
      assert.deepEqual((await stack.up()).steps, ["update main"]);
      assert.equal((await world.api.config("main")).public_key, PUBLIC_KEY);
      declare(MAIN);
      await stack.up();
    });

    it("is made again after it was deleted and a refresh has found it, and its public key is said to change", async () => {
      await world.api.destroy("main");
      const found = await stack.refresh();
      assert.deepEqual(found.steps, ["delete main"]);
      assert.deepEqual(found.messages, [
        "warning: The cache main is gone from the server. The next update makes it again, empty, and its public key changes: give the new one to every client.",
      ]);
      assert.deepEqual((await stack.up()).steps, ["create main"]);
      const { public_key, is_public, retention_period } = await world.api.config("main");
      assert.notEqual(public_key, PUBLIC_KEY);
      assert.deepEqual([is_public, retention_period], [true, { Period: 14 * DAY }]);
      assert.equal((await stack.resource("main")).outputs?.publicKey, public_key);
    });

    it("is made again by a change after it was deleted, and its public key is said to change", async () => {
      await world.api.destroy("main");
      declare({ ...MAIN, priority: 30 });
      const { steps, messages } = await stack.up();
      const { public_key, priority, is_public, retention_period } = await world.api.config("main");
      assert.deepEqual([steps, priority, is_public], [["update main"], 30, true]);
      assert.deepEqual(retention_period, { Period: 14 * DAY });
      assert.deepEqual(messages, [
        `warning: The cache main was gone from the server and was made again, empty. Its public key changes, to ${public_key}: give it to every client.`,
      ]);
      assert.equal((await stack.resource("main")).outputs?.publicKey, public_key);
      assert.deepEqual((await stack.refresh()).steps, []);
    });

    it("is made again with the key that is declared, which is not said to change", async () => {
      declare({ ...MAIN, keypair: KEYPAIR });
      await stack.up();
      await world.api.destroy("main");
      const found = await stack.refresh();
      assert.deepEqual(found.messages, [
        "warning: The cache main is gone from the server. The next update makes it again, empty, with the key that is declared.",
      ]);
      assert.deepEqual((await stack.up()).messages, []);
      assert.equal((await world.api.config("main")).public_key, PUBLIC_KEY);
      await world.api.destroy("main");
      declare({ ...MAIN, keypair: KEYPAIR, priority: 3 });
      const { steps, messages } = await stack.up();
      assert.deepEqual(
        [steps, messages],
        [["update main"], ["warning: The cache main was gone from the server and was made again, empty."]],
      );
      assert.equal((await world.api.config("main")).public_key, PUBLIC_KEY);
    });

    it("is not changed where somebody else has made another in its place, nor deleted, and both is said", async () => {
      const before = (await world.api.config("main")).public_key;
      await world.api.destroy("main");
      await world.api.create("main");
      const there = await world.api.config("main");
      declare({ ...MAIN, priority: 20 });
      const { ok, messages } = await stack.up();
      assert.equal(ok, false);
      assert.ok(
        messages.includes(
          `error: The cache main exists already and is not the one of this resource: its public key is ${there.public_key}, and not ${before}. To take it over and make it what is declared here, give it adopt: true; to take it as it is, where only its key was changed, run pulumi refresh.`,
        ),
        messages.join("\n"),
      );
      const destroyed = await stack.destroy();
      assert.deepEqual(
        [destroyed.ok, destroyed.messages],
        [
          true,
          [
            `warning: The cache main was not deleted: the one on the server is another, its public key is ${there.public_key}, and not ${before}. If it is to go too, attic cache destroy main deletes it.`,
          ],
        ],
      );
      assert.deepEqual(await world.api.config("main"), there);
      await world.api.destroy("main");
      declare(MAIN);
      assert.deepEqual((await stack.up()).steps, ["create main"]);
    });

    it("is still there after it was replaced by nothing else than itself", async () => {
      const before = await world.api.config("main");
      const { urn } = await stack.resource("main");
      const { code, stdout, stderr } = await stack.cli("up", "--yes", "--skip-preview", "--replace", urn);
      assert.equal(code, 0, stdout + stderr);
      assert.match(stdout, /The cache main was not deleted: another resource has it since this run/);
      assert.deepEqual(await world.api.config("main"), before);
      assert.deepEqual((await stack.up()).steps, []);
    });

    it("is gone already where it was to be deleted anyway", async () => {
      await world.api.destroy("main");
      const { ok, steps, messages } = await stack.destroy();
      assert.deepEqual(
        [ok, steps, messages],
        [true, ["delete main"], ["info: The cache main was gone from the server already."]],
      );
    });
  });

  describe("that nothing is said about deleting", () => {
    before(async () => {
      stack = await world.open({});
      declare({ name: "kept", options: {} });
      await stack.up();
    });
    const refusal = /error: .*attic:index:Cache::main" cannot be deleted\s+because it is protected/;

    it("is not destroyed, and the refusal names it", async () => {
      const { ok, messages } = await stack.destroy();
      assert.equal(ok, false);
      assert.match(messages.join("\n"), refusal);
      assert.deepEqual(await world.api.names(), ["kept"]);
    });

    it("is not deleted where it is no longer declared", async () => {
      declare();
      const { ok, messages } = await stack.up();
      assert.equal(ok, false);
      assert.match(messages.join("\n"), refusal);
      assert.deepEqual(await world.api.names(), ["kept"]);
    });

    for (const change of [{ name: "renamed" }, { name: "kept", storeDir: "/gnu/store" }]) {
      it(`is not replaced where another ${"storeDir" in change ? "store" : "name"} is declared`, async () => {
        declare({ ...change, options: {} });
        const { ok, messages } = await stack.up();
        assert.equal(ok, false);
        assert.match(messages.join("\n"), /attic:index:Cache::main.*protect/s);
        assert.deepEqual([await world.api.names(), world.proxy.seen], [["kept"], []]);
      });
    }

    it("is destroyed once protect: false was said", async () => {
      declare({ name: "kept", options: { protect: false } });
      const { ok, steps } = await stack.up();
      assert.deepEqual([ok, steps, world.proxy.seen], [true, [], []]);
      assert.equal((await stack.destroy()).ok, true);
      assert.deepEqual(await world.api.names(), []);
    });
  });
});
