import assert from "node:assert/strict";
import { generateKeypair, publicKeyOf } from "../../../components/attic/keypair.ts";
import type { CacheConfig } from "../../../components/attic/client.ts";
import type { CacheStack } from "../../support/cache-stack.ts";
import { CacheWorld } from "../../support/cache-world.ts";

/** How the cache was made that the stack does not know of. */
const SETTINGS = {
  is_public: true,
  priority: 7,
  upstream_cache_key_names: ["cache.nixos.org-1", "other-1"],
};
const RETENTION = { retention_period: { Period: 14 * 86_400 } };
/** The same as somebody declares it. */
const DECLARED = {
  name: "there",
  isPublic: true,
  priority: 7,
  upstreamCacheKeyNames: SETTINGS.upstream_cache_key_names,
  retention: "14d",
};
const KEYPAIR = generateKeypair("mine-1");

describe("a cache that exists already", () => {
  let world: CacheWorld;
  let stack: CacheStack;
  let found: CacheConfig;

  before(async () => {
    world = await CacheWorld.start();
  });
  after(() => world.stop());

  beforeEach(async () => {
    await world.api.create("there", SETTINGS);
    await world.api.configure("there", RETENTION);
    found = await world.api.config("there");
    stack = await world.open({});
    world.proxy.forget();
  });
  afterEach(async () => {
    await world.api.destroy(...(await world.api.names()));
  });

  it("is not made, and the refusal says how to import it and how to take it over", async () => {
    stack.declared.caches = { main: { name: "there" } };
    const { ok, messages } = await stack.up();
    assert.equal(ok, false);
    assert.ok(
      messages.includes(
        'error: The cache there exists already. To take it over and make it what is declared here, give it adopt: true; to import it as it is, give the resource the option import: "there" for one update.',
      ),
      messages.join("\n"),
    );
    assert.deepEqual(await world.api.config("there"), found);
    assert.deepEqual(world.proxy.calls, ["POST there", "GET there"]);
    const { resources = [], pending_operations } = (await stack.state()).deployment;
    assert.deepEqual(
      [resources.some(({ type }) => type === "attic:index:Cache"), pending_operations],
      [false, undefined],
    );
  });

  it("is imported as it is by one call, and left alone by the next update with the option and without", async () => {
    stack.declared.caches = { main: { ...DECLARED, options: { import: "there", protect: false } } };
    const { steps, messages } = await stack.up();
    assert.deepEqual([steps, messages, world.proxy.calls], [["import main"], [], ["GET there"]]);
    assert.deepEqual(await world.api.config("there"), found);
    assert.equal((await stack.resource("main")).outputs?.publicKey, found.public_key);
    world.proxy.forget();
    assert.deepEqual((await stack.up()).steps, []);
    stack.declared.caches = { main: DECLARED };
    assert.deepEqual((await stack.up()).steps, []);
    assert.deepEqual(world.proxy.seen, []);
  });

  it("is imported too where its retention is declared in other words, which are kept by a refresh", async () => {
    const declared = { ...DECLARED, retention: "2w" };
    stack.declared.caches = { main: { ...declared, options: { import: "there", protect: false } } };
    const { ok, steps, messages } = await stack.up();
    assert.deepEqual([ok, steps, messages], [true, ["import main"], []]);
    stack.declared.caches = { main: declared };
    assert.deepEqual((await stack.up()).steps, []);
    assert.deepEqual([(await stack.refresh()).steps, (await stack.up()).steps], [[], []]);
  });

  it("is changed at once where it is declared otherwise, and the preview says by what", async () => {
    stack.declared.caches = {
      main: { ...DECLARED, priority: 8, options: { import: "there", protect: false } },
    };
    const preview = await stack.preview();
    assert.deepEqual(
      [preview.steps, preview.changed],
      [["import main", "update main"], { main: ["priority"] }],
    );
    assert.deepEqual(await world.api.config("there"), found);
    assert.deepEqual((await stack.up()).steps, ["import main", "update main"]);
    assert.deepEqual(await world.api.config("there"), { ...found, priority: 8 });
  });

  it("is not deleted by an import where it is declared with another store", async () => {
    const options = { import: "there", protect: false };
    stack.declared.caches = { main: { ...DECLARED, storeDir: "/gnu/store", options } };
    const { ok, messages } = await stack.up();
    assert.equal(ok, false);
    assert.match(
      messages.join("\n"),
      /may not be replaced; .*\nstoreDir: \{\/nix\/store\} => \{\/gnu\/store\}/,
    );
    assert.deepEqual(await world.api.config("there"), found);
  });

  it("is imported with a keypair that is its own", async () => {
    await world.api.configure("there", { keypair: { Keypair: KEYPAIR } });
    const options = { import: "there", protect: false };
    stack.declared.caches = { main: { ...DECLARED, keypair: KEYPAIR, options } };
    assert.deepEqual((await stack.up()).steps, ["import main"]);
    assert.deepEqual((await stack.up()).steps, []);
    assert.equal((await world.api.config("there")).public_key, publicKeyOf(KEYPAIR));
  });

  it("cannot be imported under a name that no cache has, and the refusal names it", async () => {
    stack.declared.caches = { main: { name: "nowhere", options: { import: "nowhere" } } };
    const { ok, messages } = await stack.up();
    assert.equal(ok, false);
    assert.match(messages.join("\n"), /nowhere' does not exist/);
  });

  it("is taken over by adopt: true, with what is in it and its key, and left alone afterwards", async () => {
    stack.declared.caches = { main: { name: "there", adopt: true } };
    const { steps, messages } = await stack.up();
    assert.deepEqual(steps, ["create main"]);
    assert.deepEqual(messages, [
      "warning: The cache there was there already and was taken over, with what is in it.",
    ]);
    assert.deepEqual(await world.api.config("there"), {
      ...found,
      is_public: false,
      priority: 41,
      upstream_cache_key_names: ["cache.nixos.org-1"],
      retention_period: "Global",
    });
    assert.equal((await stack.resource("main")).outputs?.publicKey, found.public_key);
    world.proxy.forget();
    assert.deepEqual((await stack.up()).steps, []);
    stack.declared.caches = { main: { name: "there" } };
    assert.deepEqual((await stack.up()).steps, []);
    assert.deepEqual(world.proxy.seen, []);
  });

  it("is taken over with the keypair that is declared", async () => {
    stack.declared.caches = { main: { ...DECLARED, adopt: true, keypair: KEYPAIR } };
    assert.deepEqual((await stack.up()).steps, ["create main"]);
    assert.deepEqual(await world.api.config("there"), { ...found, public_key: publicKeyOf(KEYPAIR) });
  });

  it("is not taken over for another store, where what is in it is of no use", async () => {
    stack.declared.caches = { main: { name: "there", storeDir: "/gnu/store", adopt: true } };
    const { ok, messages } = await stack.up();
    assert.equal(ok, false);
    assert.ok(
      messages.includes(
        'error: The cache there cannot be taken over: it holds paths of the store /nix/store, which are of no use in /gnu/store. Declare it with storeDir: "/nix/store", or choose another name.',
      ),
      messages.join("\n"),
    );
    assert.deepEqual(await world.api.config("there"), found);
  });

  it("and adopt: true makes one where there is none", async () => {
    stack.declared.caches = { main: { name: "new", adopt: true } };
    assert.deepEqual((await stack.up()).steps, ["create main"]);
    assert.deepEqual(world.proxy.calls, ["POST new"]);
  });

  it("is taken in by pulumi import, and what is declared like it is left alone", async () => {
    assert.equal((await stack.up()).ok, true);
    const { urn } = await stack.resource("attic");
    const what = ["attic:index:Cache", "main", "there", "--provider", `attic=${urn}`];
    const { code, stdout, stderr } = await stack.cli("import", ...what, "--yes", "--generate-code=false");
    assert.equal(code, 0, stdout + stderr);
    assert.deepEqual(
      [world.proxy.calls, await world.api.config("there")],
      [["GET there", "GET there"], found],
    );
    world.proxy.forget();
    // The CLI protects what it takes in, and so do we.
    stack.declared.caches = { main: { ...DECLARED, options: {} } };
    const { steps, messages } = await stack.up();
    assert.deepEqual([steps, messages, world.proxy.seen], [[], [], []]);
  });
});
