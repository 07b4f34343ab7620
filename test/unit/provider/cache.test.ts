import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, it } from "mocha";
import fc from "fast-check";
import { generateKeypair, ownMark, publicKeyOf } from "../../../components/attic/keypair.ts";
import { InitFailed } from "../../../provider/protocol/provider.ts";
import { asText, type Properties, Secret, Unknown } from "../../../provider/protocol/values.ts";
import { FakeAttic, refuse } from "../../support/fake-attic.ts";
import { TestProvider } from "../../support/provider.ts";

const TYPE = "attic:index:Cache";
const DEFAULTS = {
  isPublic: false,
  priority: 41,
  storeDir: "/nix/store",
  upstreamCacheKeyNames: ["cache.nixos.org-1"],
  retention: "default",
  adopt: false,
};
const MAIN = { name: "main", ...DEFAULTS };
const KEYPAIR = generateKeypair("mine-1");
const PUBLIC = publicKeyOf(KEYPAIR) ?? "";

describe("the resource Cache", () => {
  let attic: FakeAttic;
  let provider: TestProvider;

  beforeEach(async () => {
    attic = new FakeAttic();
    provider = await TestProvider.open(TYPE, { endpoint: await attic.start() });
  });
  afterEach(() => {
    attic.stop();
  });

  const add = (name: string, more = {}) =>
    attic.caches.set(name, {
      is_public: false,
      store_dir: "/nix/store",
      priority: 41,
      upstream_cache_key_names: ["cache.nixos.org-1"],
      public_key: `${name}:${"A".repeat(43)}=`,
      retention_period: "Global",
      ...more,
    });

  describe("is checked", () => {
    it("with every default filled in", async () => {
      assert.deepEqual(await provider.check({ name: "main" }), { inputs: MAIN, failures: [] });
    });

    it("with its keypair made a secret", async () => {
      const { inputs } = await provider.check({ name: "main", keypair: KEYPAIR });
      assert.deepEqual(inputs, { ...MAIN, keypair: new Secret(KEYPAIR) });
    });

    it("with an input kept secret as a whole where a part of it is", async () => {
      const upstreamCacheKeyNames = ["cache.nixos.org-1", new Secret("inner-1")];
      const { inputs, failures } = await provider.check({ name: "main", upstreamCacheKeyNames });
      assert.deepEqual(failures, []);
      assert.deepEqual(inputs.upstreamCacheKeyNames, new Secret(["cache.nixos.org-1", "inner-1"]));
      add("main", { upstream_cache_key_names: ["other-1"] });
      const { outputs, ...found } = await provider.read("main", inputs, { publicKey: "" });
      for (const properties of [outputs, found.inputs])
        assert.deepEqual(properties?.upstreamCacheKeyNames, new Secret(["other-1"]));
    });

    it("and a wrong input that holds a secret is not named to the engine, which would print it", async () => {
      const { failures } = await provider.check({
        name: "main",
        upstreamCacheKeyNames: [new Secret("inner-1"), 7],
      });
      assert.deepEqual(failures, [
        {
          property: "",
          reason: "upstreamCacheKeyNames: 1: Invalid input: expected string, received number",
        },
      ]);
    });

    it("and what a preview does not know is left for the update", async () => {
      const { inputs, failures } = await provider.check({ name: new Unknown(), retention: new Unknown() });
      assert.deepEqual(failures, []);
      assert.ok(inputs.name instanceof Unknown && inputs.retention instanceof Unknown);
    });

    const wrong: [string, Properties, string, RegExp][] = [
      ["no name", {}, "name", /expected a text/],
      ["a name that Attic refuses", { name: "-main" }, "name", /1 to 50 of A-Z/],
      ["a name of 51 characters", { name: "a".repeat(51) }, "name", /1 to 50 of A-Z/],
      ["a retention that is none", { name: "main", retention: "90 days" }, "retention", /such as 90d/],
      ["a retention over 32 bits", { name: "main", retention: "69y" }, "retention", /at most 68y/],
      ["a fraction of a priority", { name: "main", priority: 1.5 }, "priority", /whole number/],
      ["a store that is no path", { name: "main", storeDir: "store" }, "storeDir", /begins with \//],
      ["a text for a flag", { name: "main", isPublic: "yes" }, "isPublic", /true or false/],
      ["half a keypair", { name: "main", keypair: "mine-1:AAAA" }, "", /^keypair: .*nix key generate-secret/],
      ["an unknown input", { name: "main", public: true }, "public", /there are name, isPublic, priority/],
    ];
    for (const [what, inputs, property, reason] of wrong) {
      it(`and refused with ${what}`, async () => {
        const { failures = [] } = await provider.check(inputs);
        assert.deepEqual(
          failures.map((failure) => failure.property),
          [property],
        );
        assert.match(failures[0]?.reason ?? "", reason);
      });
    }

    it("and a wrong keypair is not shown", async () => {
      const { failures = [] } = await provider.check({
        name: "main",
        keypair: new Secret("mine-1:c2VjcmV0"),
      });
      assert.equal(JSON.stringify(failures).includes("c2VjcmV0"), false);
    });
  });

  describe("is made", () => {
    it("by one call, with a key of its own that the server and the state do not share", async () => {
      const { id, outputs } = await provider.create(MAIN);
      assert.equal(id, "main");
      assert.deepEqual(attic.calls, ["POST main"]);
      const { adopt, ...settings } = MAIN;
      assert.deepEqual(outputs, { ...settings, publicKey: attic.caches.get("main")?.public_key });
      assert.match(String(outputs.publicKey), /^main-[0-9a-f]{8}-[0-9a-f]{6}:[A-Za-z0-9+/]{43}=$/);
    });

    it("with its retention by a second call", async () => {
      await provider.create({ ...MAIN, retention: "90d" });
      assert.deepEqual(attic.calls, ["POST main", "PATCH main"]);
      assert.deepEqual(attic.caches.get("main")?.retention_period, { Period: 90 * 86_400 });
    });

    it("with the keypair that is given", async () => {
      const { outputs } = await provider.create({ ...MAIN, keypair: new Secret(KEYPAIR) });
      assert.equal(outputs.publicKey, PUBLIC);
      assert.equal(attic.caches.get("main")?.public_key, PUBLIC);
      assert.equal("keypair" in outputs, false);
    });

    it("never in a preview", async () => {
      const { outputs } = await provider.create(MAIN, { preview: true });
      assert.ok(outputs.publicKey instanceof Unknown);
      const given = await provider.create({ ...MAIN, keypair: new Secret(KEYPAIR) }, { preview: true });
      assert.equal(given.outputs.publicKey, PUBLIC);
      assert.deepEqual(attic.calls, []);
    });

    it("not where there is one, and says how to import it", async () => {
      add("main", { priority: 7 });
      await assert.rejects(
        provider.create(MAIN),
        /The cache main exists already\..*adopt: true.*import: "main"/,
      );
      assert.equal(attic.caches.get("main")?.priority, 7);
    });

    it("out of one that is there where it is to be adopted", async () => {
      add("main", { priority: 7, retention_period: { Period: 5 } });
      const { outputs } = await provider.create({ ...MAIN, adopt: true });
      assert.equal(outputs.publicKey, `main:${"A".repeat(43)}=`);
      assert.deepEqual(attic.calls, ["POST main", "GET main", "PATCH main"]);
      assert.equal(attic.caches.get("main")?.priority, 41);
      assert.equal(attic.caches.get("main")?.retention_period, "Global");
      assert.deepEqual(provider.said, [
        "warning: The cache main was there already and was taken over, with what is in it.",
      ]);
    });

    it("out of one that is there with the keypair that is given, where it is to be adopted", async () => {
      add("main");
      const { outputs } = await provider.create({ ...MAIN, adopt: true, keypair: new Secret(KEYPAIR) });
      assert.equal(outputs.publicKey, PUBLIC);
      assert.equal(attic.caches.get("main")?.public_key, PUBLIC);
      assert.deepEqual(provider.said, [
        `warning: The cache main was there already and was taken over, with what is in it. Its public key changes, to ${PUBLIC}: give it to every client.`,
      ]);
    });

    it("out of one that has the very keypair that is given, which is said", async () => {
      add("main", { public_key: PUBLIC });
      const { outputs } = await provider.create({ ...MAIN, keypair: new Secret(KEYPAIR) });
      assert.equal(outputs.publicKey, PUBLIC);
      assert.deepEqual(provider.said, [
        "warning: The cache main was there already and was taken over, with what is in it.",
      ]);
    });

    it("never out of one that holds paths of another store, whosever it is", async () => {
      const own = `${ownMark(provider.signingKey, provider.urn("main"), "main")}-abc123:${"D".repeat(43)}=`;
      for (const [public_key, more] of [
        [PUBLIC, { keypair: new Secret(KEYPAIR) }],
        [`main:${"A".repeat(43)}=`, { adopt: true }],
        [own, {}],
      ] as const) {
        add("main", { public_key, store_dir: "/gnu/store" });
        await assert.rejects(
          provider.create({ ...MAIN, ...more }),
          /The cache main cannot be taken over: it holds paths of the store \/gnu\/store/,
        );
        assert.equal(attic.caches.get("main")?.store_dir, "/gnu/store");
      }
    });

    it("once only, though the run that made it was killed before it was written down", async () => {
      const first = await provider.create(MAIN);
      const again = await provider.create({ ...MAIN, priority: 5 });
      assert.equal(again.outputs.publicKey, first.outputs.publicKey);
      assert.equal(attic.caches.get("main")?.priority, 5);
      assert.deepEqual(provider.said, []);
    });

    it("once only, though version 0.1.0 made it, whose keys were named by the mark alone", async () => {
      const mark = ownMark(provider.signingKey, provider.urn("main"), "main");
      const public_key = `${mark}:${"B".repeat(43)}=`;
      add("main", { public_key });
      assert.equal((await provider.create(MAIN)).outputs.publicKey, public_key);
      attic.caches.clear();
      add("main", { public_key: `${mark}0:${"B".repeat(43)}=` });
      await assert.rejects(provider.create(MAIN), /exists already/);
    });

    it("with a key of another name each time, of which Nix can trust both", async () => {
      const keys: string[] = [];
      for (let time = 0; time < 2; time += 1) {
        attic.caches.clear();
        keys.push(asText((await provider.create(MAIN)).outputs.publicKey));
      }
      for (const key of keys) assert.match(key, /^main-[0-9a-f]{8}-[0-9a-f]{6}:[A-Za-z0-9+/]{43}=$/);
      assert.notEqual(keys[0]?.split(":")[0], keys[1]?.split(":")[0]);
    });

    it("not for a second resource of the same name", async () => {
      await provider.create(MAIN);
      await assert.rejects(provider.create(MAIN, { urn: provider.urn("other") }), /exists already/);
    });

    it("not by a stack with another signing key", async () => {
      await provider.create(MAIN);
      const other = await TestProvider.open(TYPE, {
        endpoint: provider.endpoint,
        signingKey: Buffer.alloc(64, 2).toString("base64"),
      });
      await assert.rejects(other.create(MAIN), /exists already/);
    });

    it("once only where the answer was lost", async () => {
      attic.fault = (request) => attic.calls.length === 1 && (request.socket.destroy(), true);
      attic.caches.clear();
      const { outputs } = await provider.create(MAIN);
      assert.equal(outputs.publicKey, attic.caches.get("main")?.public_key);
    });

    it("and its retention comes with the next update where it could not be set", async () => {
      attic.fault = (request, response) => {
        if (request.method !== "PATCH") return false;
        refuse(response, 403, "AccessError");
        return true;
      };
      const error = await provider.create({ ...MAIN, retention: "7d" }).catch((thrown: unknown) => thrown);
      assert.ok(error instanceof InitFailed);
      assert.match(
        error.message,
        /cache was made, and its retention not set: .*permission configureCache or configureRetention/,
      );
      assert.equal(error.state.id, "main");
      assert.equal(error.state.inputs?.retention, "default");
      assert.equal(error.state.outputs.publicKey, attic.caches.get("main")?.public_key);
    });

    it("not under a name that a deleted cache holds", async () => {
      attic.fault = (request, response) => {
        if (request.method === "POST") refuse(response, 400, "CacheAlreadyExists");
        else refuse(response, 404, "NoSuchCache");
        return true;
      };
      await assert.rejects(
        provider.create(MAIN),
        /The name main cannot be used: .*soft-delete-caches.*another name/,
      );
    });
  });

  describe("is compared", () => {
    const olds = { ...MAIN, publicKey: `main:${"A".repeat(43)}=` };
    const of = async (news: Properties, oldInputs: Properties = MAIN) => {
      const { detailed, replaces, deleteBeforeReplace, changes } = await provider.diff({
        olds,
        oldInputs,
        news,
      });
      return { changes, changed: [...(detailed?.keys() ?? [])], replaces, deleteBeforeReplace };
    };
    const same = { changes: false, changed: [], replaces: [], deleteBeforeReplace: false };

    it("and stays where nothing differs", async () => {
      assert.deepEqual(await of(MAIN), same);
    });
    it("and stays where only the way to begin differs", async () => {
      assert.deepEqual(await of({ ...MAIN, adopt: true }), same);
    });
    for (const [name, value] of Object.entries({
      isPublic: true,
      priority: 1,
      retention: "never",
      upstreamCacheKeyNames: [],
    })) {
      it(`and changes in place by ${name}`, async () => {
        assert.deepEqual(await of({ ...MAIN, [name]: value }), { ...same, changes: true, changed: [name] });
      });
    }
    it("and is another one by its name, made before the old one goes", async () => {
      assert.deepEqual(await of({ ...MAIN, name: "other" }), {
        changes: true,
        changed: ["name"],
        replaces: ["name"],
        deleteBeforeReplace: false,
      });
    });
    it("and is another one by its store, made after the old one went", async () => {
      assert.deepEqual(await of({ ...MAIN, storeDir: "/gnu/store" }), {
        changes: true,
        changed: ["storeDir"],
        replaces: ["storeDir"],
        deleteBeforeReplace: true,
      });
    });
    it("and is refused another store where names of deleted caches stay taken, but not with another name", async () => {
      const soft = await TestProvider.open(TYPE, { endpoint: provider.endpoint, softDeleteCaches: "true" });
      const to = (more: Properties) =>
        soft.diff({ olds, oldInputs: MAIN, news: { ...MAIN, storeDir: "/gnu/store", ...more } });
      await assert.rejects(to({}), {
        message:
          'The cache main cannot get another store: it would be deleted first, and a server that keeps the records of deleted caches (server.softDeleteCaches) does not take their names again. Give it another name too, or leave storeDir at "/nix/store".',
      });
      const { replaces, deleteBeforeReplace } = await to({ name: "other" });
      assert.deepEqual([replaces, deleteBeforeReplace], [["name", "storeDir"], false]);
    });
    it("and stays the same cache where somebody else has set its store, which is put back", async () => {
      const found = { ...olds, storeDir: "/x" };
      const { detailed, ...rest } = await provider.diff({ olds: found, oldInputs: MAIN, news: MAIN });
      assert.deepEqual(detailed, new Map([["storeDir", { kind: "update", input: false }]]));
      assert.deepEqual([rest.changes, rest.replaces, rest.deleteBeforeReplace], [true, [], false]);
      add("main", { store_dir: "/x" });
      assert.equal((await provider.update("main", found, MAIN)).storeDir, "/nix/store");
      assert.equal(attic.caches.get("main")?.store_dir, "/nix/store");
    });
    it("and stays the same cache where the store is declared that somebody else has set", async () => {
      const found = { ...olds, storeDir: "/x" };
      const news = { ...MAIN, storeDir: "/x" };
      const { detailed, replaces } = await provider.diff({ olds: found, oldInputs: MAIN, news });
      assert.deepEqual(detailed, new Map([["storeDir", { kind: "update", input: true }]]));
      assert.deepEqual(replaces, []);
    });
    it("and is another one by its store where a third is declared", async () => {
      const found = { ...olds, storeDir: "/x" };
      const news = { ...MAIN, storeDir: "/gnu/store" };
      const { replaces } = await provider.diff({ olds: found, oldInputs: MAIN, news });
      assert.deepEqual(replaces, ["storeDir"]);
    });
    it("and changes where another keypair is given, in the settings or on the server", async () => {
      const keypair = new Secret(KEYPAIR);
      assert.deepEqual((await of({ ...MAIN, keypair })).changed, ["keypair"]);
      assert.deepEqual((await of({ ...MAIN, keypair }, { ...MAIN, keypair })).changed, ["keypair"]);
    });
    it("and keeps its key where one is no longer given", async () => {
      assert.deepEqual(await of(MAIN, { ...MAIN, keypair: new Secret(KEYPAIR) }), same);
    });
    it("and is looked for in another database, and made there where it is not", async () => {
      const moved = await TestProvider.open(TYPE, {
        endpoint: provider.endpoint,
        database: "db.example.com/attic",
      });
      const before = { ...olds, database: "old.example.com/attic" };
      const { changes, replaces } = await moved.diff({ olds: before, oldInputs: MAIN, news: MAIN });
      assert.deepEqual([changes, replaces], [true, []]);
      const outputs = await moved.update("main", before, MAIN);
      assert.equal(outputs.database, "db.example.com/attic");
      assert.equal(outputs.publicKey, attic.caches.get("main")?.public_key);
      assert.equal((await moved.diff({ olds: outputs, oldInputs: MAIN, news: MAIN })).changes, false);
    });
    it("and asks nobody", async () => {
      await of({ ...MAIN, priority: 3 });
      assert.deepEqual(attic.calls, []);
    });
  });

  describe("is read", () => {
    const olds = { ...MAIN, publicKey: `main:${"A".repeat(43)}=` };
    it("by one call, as it was where nothing differs", async () => {
      add("main", { retention_period: { Period: 14 * 86_400 } });
      const inputs = { ...MAIN, retention: "2w" };
      const state = await provider.read("main", inputs, { ...olds, retention: "2w" });
      assert.deepEqual(state.inputs, inputs);
      assert.deepEqual(attic.calls, ["GET main"]);
      assert.deepEqual(provider.said, []);
    });

    it("with what somebody changed, and the store that is declared beside the one that is there", async () => {
      add("main", {
        is_public: true,
        priority: 9,
        retention_period: { Period: 3600 },
        upstream_cache_key_names: [],
        store_dir: "/x",
      });
      const { inputs, outputs } = await provider.read("main", MAIN, olds);
      assert.equal(outputs.storeDir, "/x");
      assert.deepEqual(inputs, {
        name: "main",
        isPublic: true,
        priority: 9,
        storeDir: "/nix/store",
        upstreamCacheKeyNames: [],
        retention: "1h",
        adopt: false,
      });
    });

    it("as gone, with a warning that its public key will change", async () => {
      assert.deepEqual(await provider.read("main", MAIN, olds), { id: "", outputs: {} });
      assert.deepEqual(provider.said, [
        "warning: The cache main is gone from the server. The next update makes it again, empty, and its public key changes: give the new one to every client.",
      ]);
    });

    it("for an import, from its name alone", async () => {
      add("main", { retention_period: { Period: 0 } });
      const state = await provider.read("main", {}, {});
      assert.deepEqual(state.inputs, { ...MAIN, retention: "never" });
      assert.equal(state.outputs.publicKey, `main:${"A".repeat(43)}=`);
    });

    it("for an import of what is not there, as nothing", async () => {
      assert.deepEqual(await provider.read("main", {}, {}), { id: "", outputs: {} });
      assert.deepEqual(provider.said, []);
    });

    it("without a keypair that is no longer the server's, and says so", async () => {
      add("main");
      const inputs = { ...MAIN, keypair: new Secret(KEYPAIR) };
      const state = await provider.read("main", inputs, { ...olds, publicKey: PUBLIC });
      assert.deepEqual(state.inputs, MAIN);
      assert.equal(state.outputs.publicKey, `main:${"A".repeat(43)}=`);
      assert.match(
        provider.said[0] ?? "",
        /^warning: The public key of the cache main was changed on the server/,
      );
    });
  });

  describe("is changed", () => {
    const olds = { ...MAIN, publicKey: `main:${"A".repeat(43)}=` };
    it("by one call after a look whose it is, and keeps its public key", async () => {
      add("main");
      const outputs = await provider.update("main", olds, { ...MAIN, isPublic: true, retention: "1y" });
      assert.deepEqual([attic.calls, provider.said], [["GET main", "PATCH main"], []]);
      assert.equal(attic.caches.get("main")?.is_public, true);
      assert.deepEqual(attic.caches.get("main")?.retention_period, { Period: 31_536_000 });
      assert.equal(outputs.publicKey, olds.publicKey);
    });

    it("to the keypair that is given", async () => {
      add("main");
      const outputs = await provider.update("main", olds, { ...MAIN, keypair: new Secret(KEYPAIR) });
      assert.equal(attic.caches.get("main")?.public_key, PUBLIC);
      assert.equal(outputs.publicKey, PUBLIC);
    });

    it("never in a preview", async () => {
      await provider.update("main", olds, { ...MAIN, priority: 2 }, { preview: true });
      assert.deepEqual(attic.calls, []);
    });

    describe("in a preview", () => {
      const keyOf = async (news: Properties, before: Properties = olds) =>
        (await moved.update("main", before, { ...MAIN, ...news }, { preview: true })).publicKey;
      let moved: TestProvider;
      beforeEach(async () => {
        moved = await TestProvider.open(TYPE, { endpoint: provider.endpoint, database: "db/attic" });
      });
      it("to the public key that it has, or that of the keypair that is given", async () => {
        assert.equal(await keyOf({}), olds.publicKey);
        assert.equal(await keyOf({ keypair: new Secret(KEYPAIR) }), PUBLIC);
      });
      for (const keypair of [new Unknown(), new Secret(new Unknown())]) {
        const form = keypair instanceof Secret ? "a secret keypair" : "a keypair";
        it(`to one that nobody knows where ${form} is not known yet`, async () => {
          assert.ok((await keyOf({ keypair })) instanceof Unknown);
        });
      }
      it("to one that nobody knows where the server has another database, unless a keypair is given", async () => {
        const before = { ...olds, database: "old/attic" };
        assert.ok((await keyOf({}, before)) instanceof Unknown);
        assert.equal(await keyOf({ keypair: new Secret(KEYPAIR) }, before), PUBLIC);
        assert.equal(await keyOf({}, { ...olds, database: "db/attic" }), olds.publicKey);
      });
    });

    it("into a new one where it is gone, and says that its public key changes", async () => {
      const outputs = await provider.update("main", olds, { ...MAIN, priority: 2 });
      const now = asText(attic.caches.get("main")?.public_key);
      assert.equal(outputs.publicKey, now);
      assert.deepEqual(provider.said, [
        `warning: The cache main was gone from the server and was made again, empty. Its public key changes, to ${now}: give it to every client.`,
      ]);
    });

    it("into a new one where it is gone, and says that its public key changes though its retention cannot be set", async () => {
      attic.fault = (request, response) =>
        request.method === "PATCH" && (refuse(response, 500, "InternalServerError"), true);
      const error = await provider
        .update("main", olds, { ...MAIN, retention: "7d" })
        .catch((thrown: unknown) => thrown);
      assert.ok(error instanceof InitFailed);
      const now = asText(attic.caches.get("main")?.public_key);
      assert.equal(error.state.outputs.publicKey, now);
      assert.deepEqual(provider.said, [
        `warning: The cache main was gone from the server and was made again, empty. Its public key changes, to ${now}: give it to every client.`,
      ]);
    });
  });

  describe("that is another one than the state knows", () => {
    const olds = { ...MAIN, publicKey: `main:${"A".repeat(43)}=` };
    const strange = `main:${"C".repeat(43)}=`;
    beforeEach(() => {
      add("main", { public_key: strange, priority: 7 });
    });
    const moved = async () =>
      await TestProvider.open(TYPE, { endpoint: provider.endpoint, database: "db/attic" });
    const elsewhere = { ...olds, database: "old/attic" };

    it("is not changed, and the refusal says what can be done", async () => {
      await assert.rejects(provider.update("main", olds, MAIN), {
        message: `The cache main exists already and is not the one of this resource: its public key is ${strange}, and not ${olds.publicKey}. To take it over and make it what is declared here, give it adopt: true; to take it as it is, where only its key was changed, run pulumi refresh.`,
      });
      await assert.rejects((await moved()).update("main", elsewhere, MAIN), {
        message: `The cache main exists already and is not the one of this resource: its public key is ${strange}, and not ${olds.publicKey}. To take it over and make it what is declared here, give it adopt: true; to leave it alone, choose another name.`,
      });
      assert.deepEqual(attic.calls, ["GET main", "GET main"]);
    });

    it("is taken over where it is to be adopted, and its key is the one that stands in the state", async () => {
      const outputs = await provider.update("main", olds, { ...MAIN, adopt: true });
      assert.equal(outputs.publicKey, strange);
      assert.equal(attic.caches.get("main")?.priority, 41);
      assert.deepEqual(provider.said, [
        `warning: The cache main was there already and was taken over, with what is in it. Its public key changes, to ${strange}: give it to every client.`,
      ]);
    });

    it("is not taken over for another store", async () => {
      add("main", { public_key: strange, store_dir: "/gnu/store" });
      await assert.rejects(
        provider.update("main", olds, { ...MAIN, adopt: true }),
        /The cache main cannot be taken over: it holds paths of the store \/gnu\/store/,
      );
      assert.equal(attic.caches.get("main")?.store_dir, "/gnu/store");
    });

    it("is this resource's where a run made it again that was killed, and its key is said to change", async () => {
      const public_key = `${ownMark(provider.signingKey, provider.urn("main"), "main")}-abc123:${"D".repeat(43)}=`;
      add("main", { public_key });
      assert.equal((await provider.update("main", olds, MAIN)).publicKey, public_key);
      assert.deepEqual(provider.said, [
        `warning: The cache main was made again by a run that was cut short. Its public key changes, to ${public_key}: give it to every client.`,
      ]);
    });

    it("is this resource's where a run gave it the keypair that is declared and was killed", async () => {
      add("main", { public_key: PUBLIC, priority: 7 });
      const outputs = await provider.update("main", olds, { ...MAIN, keypair: new Secret(KEYPAIR) });
      assert.deepEqual([outputs.publicKey, provider.said], [PUBLIC, []]);
      assert.equal(attic.caches.get("main")?.priority, 41);
    });

    it("is not deleted, and that is said", async () => {
      for (const [test, before] of [
        [provider, olds],
        [await moved(), elsewhere],
      ] as const) {
        await test.delete("main", before);
        assert.deepEqual(test.said, [
          `warning: The cache main was not deleted: the one on the server is another, its public key is ${strange}, and not ${olds.publicKey}. If it is to go too, attic cache destroy main deletes it.`,
        ]);
      }
      assert.deepEqual(attic.calls, ["GET main", "GET main"]);
    });

    it("is not found by a refresh in another database, and is in the same one", async () => {
      const test = await moved();
      assert.deepEqual(await test.read("main", MAIN, elsewhere), { id: "", outputs: {} });
      assert.deepEqual(test.said, [
        `warning: The cache main is not in the server's new database, where another one has its name: its public key is ${strange}, and not ${olds.publicKey}. To take that over, give it adopt: true.`,
      ]);
      assert.equal((await provider.read("main", MAIN, olds)).outputs.publicKey, strange);
    });
  });

  it("is deleted after a look whose it is, and gone already is as good", async () => {
    add("main");
    const olds = { ...MAIN, publicKey: `main:${"A".repeat(43)}=` };
    await provider.delete("main", olds);
    assert.deepEqual([attic.caches.size, provider.said], [0, []]);
    await provider.delete("main", olds);
    assert.deepEqual(attic.calls, ["GET main", "DELETE main", "GET main"]);
    assert.deepEqual(provider.said, ["info: The cache main was gone from the server already."]);
  });

  it("is not deleted by the resource that had it where another one has got it in the same run", async () => {
    add("main");
    const olds = { ...MAIN, publicKey: `main:${"A".repeat(43)}=` };
    await provider.create({ ...MAIN, adopt: true }, { urn: provider.urn("renamed") });
    await provider.delete("main", olds);
    assert.equal(attic.caches.size, 1);
    assert.equal(
      provider.said.at(-1),
      "warning: The cache main was not deleted: another resource has it since this run.",
    );
  });

  for (const what of ["an answer", "the next try", "its turn"]) {
    it(`is given up in one sentence where the run is cancelled while it waits for ${what}`, async () => {
      // As long as nobody waits for a test.
      const patient = await TestProvider.open(TYPE, { endpoint: provider.endpoint }, [80_000]);
      attic.fault = (_request, response) => {
        if (what === "the next try") response.writeHead(503).end();
        if (attic.calls.length === count - (what === "its turn" ? 4 : 0))
          setTimeout(() => {
            patient.cancel();
          }, 50);
        return true;
      };
      const count = what === "its turn" ? 20 : 3;
      const names = Array.from({ length: count }, (_, index) => `c${index}`);
      const results = await Promise.allSettled(names.map((name) => patient.create({ ...MAIN, name })));
      assert.deepEqual(
        results.map((result) => result.status === "rejected" && (result.reason as Error).message),
        names.map(
          (name) =>
            `POST ${provider.endpoint}_api/v1/cache-config/${name} was given up: the run is cancelled`,
        ),
      );
    });
  }

  it("is asked for with 16 connections at most, which are kept", async () => {
    attic.delay = 5;
    const names = Array.from({ length: 100 }, (_, index) => `c${index}`);
    for (const name of names) add(name);
    await Promise.all(names.map((name) => provider.read(name, { ...MAIN, name }, { publicKey: "" })));
    assert.deepEqual([attic.calls.length, attic.most, attic.connections], [100, 16, 16]);
  });

  for (const endpoint of ["https://me:hunter2@cache.example.com/", "https://hunter2@cache.example.com"]) {
    it(`is not asked for at ${endpoint.replace("hunter2", "…")}, and the refusal does not quote it`, async () => {
      const careless = await TestProvider.open(TYPE, { endpoint });
      await assert.rejects(careless.create(MAIN), {
        message:
          "endpoint has a user name or a password in it, which would stand in messages and in the state. Take it out: nothing but a token opens the server.",
      });
    });
  }

  it("ends in one clear error whatever the server says", async () => {
    const hurried = await TestProvider.open(TYPE, { endpoint: provider.endpoint }, [1, 1]);
    const answer = fc.record({
      status: fc.integer({ min: 200, max: 599 }),
      body: fc.oneof(
        fc.string(),
        fc.json(),
        fc.uint8Array({ maxLength: 64 }).map((bytes) => Buffer.from(bytes).toString("latin1")),
      ),
    });
    await fc.assert(
      fc.asyncProperty(
        answer,
        fc.constantFrom("create", "read", "update", "delete"),
        async ({ status, body }, what) => {
          attic.fault = (_request, response) => (response.writeHead(status).end(body), true);
          const work = {
            create: () => hurried.create(MAIN),
            read: () => hurried.read("main", MAIN, {}),
            update: () => hurried.update("main", { publicKey: "" }, MAIN),
            delete: () => hurried.delete("main", {}),
          }[what];
          const error: unknown = await work().then(
            () => undefined,
            (thrown: unknown) => thrown,
          );
          if (error === undefined) return;
          assert.ok(error instanceof Error);
          assert.match(error.message, /main/);
          assert.doesNotMatch(error.message, /\n|undefined|\[object|SyntaxError|TypeError/);
          assert.equal(error.message.includes(hurried.signingKey), false);
        },
      ),
      { numRuns: 200 },
    );
  });
});
