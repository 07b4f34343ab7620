import assert from "node:assert/strict";
import { beforeEach, it } from "mocha";
import { EVERYTHING } from "../../components/attic/permissions.ts";
import { configPath, creation } from "./support/contract.ts";
import { contract } from "./support/suite.ts";

const LONGEST = 2 ** 31 - 1;

contract("configuring a cache", (attic) => {
  let cache: string;
  beforeEach(async () => {
    cache = await attic.cache();
  });

  const patch = async (json: unknown, token?: string) =>
    await attic.call("PATCH", configPath(cache), { json, ...(token !== undefined && { token }) });

  const CHANGES = {
    is_public: true,
    store_dir: "/gnu/store",
    priority: -3,
    upstream_cache_key_names: ["cache.nixos.org-1", "ä b"],
    retention_period: { Period: 86_400 },
  };
  for (const [field, value] of Object.entries(CHANGES)) {
    it(`changes ${field}, and nothing else`, async () => {
      const before = await attic.config(cache);
      (await patch({ [field]: value })).isDone();
      assert.deepEqual(await attic.config(cache), { ...before, [field]: value });
    });
  }

  it("changes everything at once", async () => {
    const before = await attic.config(cache);
    (await patch(CHANGES)).isDone();
    assert.deepEqual(await attic.config(cache), { ...before, ...CHANGES });
  });

  it("leaves what is given as null as it is", async () => {
    const before = await attic.config(cache);
    const nothing = Object.fromEntries(Object.keys(CHANGES).map((field) => [field, null]));
    (await patch({ ...nothing, keypair: null, priority: 9 })).isDone();
    assert.deepEqual(await attic.config(cache), { ...before, priority: 9 });
  });

  it("makes a new key where it is asked to, and changes nothing else", async () => {
    const { public_key: old, ...before } = await attic.config(cache);
    (await patch({ keypair: "Generate" })).isDone();
    const { public_key: now, ...after } = await attic.config(cache);
    assert.notEqual(now, old);
    assert.ok(now.startsWith(`${cache}:`));
    assert.deepEqual(after, before);
  });

  it("refuses a change of nothing", async () => {
    const readOnly = { public_key: "x:y", api_endpoint: "http://x/", substituter_endpoint: "http://x/y" };
    for (const json of [{}, readOnly, { colour: "blue" }, { priority: null }, { retention_period: null }])
      assert.equal(
        (await patch(json)).isRefused("RequestError"),
        "General request error: No modifiable fields were set.",
      );
  });

  it("cannot rename a cache", async () => {
    const name = `${cache}-other`;
    (await patch({ name, priority: 2 })).isDone();
    (await attic.call("GET", configPath(name))).isRefused("NoSuchCache");
  });

  it("opens a cache to everybody, and closes it again", async () => {
    const read = () => attic.call("GET", configPath(cache), { token: null });
    (await read()).isRefused("Unauthorized");
    (await patch({ is_public: true })).isDone();
    assert.equal((await read()).status, 200);
    (await patch({ is_public: false })).isDone();
    (await read()).isRefused("Unauthorized");
  });

  it("is where retention is set: a time, never, or the server's default", async () => {
    assert.equal((await attic.config(cache)).retention_period, "Global");
    for (const period of [{ Period: 1 }, { Period: LONGEST }, { Period: 0 }, "Global"]) {
      (await patch({ retention_period: period })).isDone();
      assert.deepEqual((await attic.config(cache)).retention_period, period);
    }
  });

  it("refuses a retention that does not fit, and changes nothing", async () => {
    (await patch({ retention_period: { Period: 60 } })).isDone();
    for (const period of [LONGEST + 1, 2 ** 32 - 1])
      assert.equal(
        (await patch({ retention_period: { Period: period }, priority: 1 })).isRefused("RequestError"),
        "General request error: Invalid retention period",
      );
    for (const retention of [{ Period: 2 ** 32 }, { Period: -1 }, { Period: 1.5 }, "global", { Days: 1 }])
      (await patch({ retention_period: retention, priority: 1 })).isMalformed(422, /retention_period/);
    const { retention_period, priority } = await attic.config(cache);
    assert.deepEqual({ retention_period, priority }, { retention_period: { Period: 60 }, priority: 41 });
  });

  it("changes nothing where a part of the change is not allowed", async () => {
    const token = attic.tokenFor(cache, "pull", "configureCache");
    (await patch({ priority: 1, retention_period: "Global" }, token)).isRefused("AccessError");
    assert.equal((await attic.config(cache)).priority, 41);
    (await patch({ priority: 1 }, token)).isDone();
    assert.equal((await attic.config(cache)).priority, 1);
  });

  it("refuses fields of a wrong kind", async () => {
    for (const field of ["is_public", "store_dir", "priority", "upstream_cache_key_names", "keypair"])
      (await patch({ [field]: { wrong: 1 } })).isMalformed(422, new RegExp(field));
    (await patch({ keypair: { Keypair: "x:AAAA" } })).isMalformed(422, /keypair/);
  });

  it("lets the last of many changes at once win as a whole", async () => {
    const names = (value: number) => Array.from({ length: 20 }, () => String(value));
    const values = Array.from({ length: 10 }, (_, value) => value);
    const answers = await Promise.all(
      values.map((value) => patch({ priority: value, upstream_cache_key_names: names(value) })),
    );
    assert.deepEqual(new Set(answers.map(({ status }) => status)), new Set([200]));
    const { priority, upstream_cache_key_names: upstream } = await attic.config(cache);
    assert.deepEqual(upstream, names(priority));
  });
});

contract("destroying a cache", (attic) => {
  it("leaves nothing of it to be seen", async () => {
    const cache = await attic.cache({ is_public: true });
    (await attic.call("DELETE", configPath(cache))).isDone();
    for (const path of [configPath(cache), `/${cache}/nix-cache-info`, `/${cache}/attic-cache-info`]) {
      (await attic.call("GET", path)).isRefused("NoSuchCache");
      (await attic.call("GET", path, { token: null })).isRefused("Unauthorized");
    }
    (await attic.call("PATCH", configPath(cache), { json: { priority: 1 } })).isRefused("NoSuchCache");
  });

  it("cannot be done twice", async () => {
    const cache = await attic.cache();
    (await attic.call("DELETE", configPath(cache))).isDone();
    (await attic.call("DELETE", configPath(cache))).isRefused("NoSuchCache");
  });

  it("is done once where two ask for it at once", async () => {
    const cache = await attic.cache();
    const ask = () => attic.call("DELETE", configPath(cache));
    const answers = await Promise.all(Array.from({ length: 8 }, ask));
    assert.deepEqual(answers.map(({ status }) => status).sort(), [200, 404, 404, 404, 404, 404, 404, 404]);
  });

  it("frees its name for a cache with another key, unless the server deletes softly", async () => {
    const { softDeletion } = attic.server;
    const cache = await attic.cache();
    const { public_key: old } = await attic.config(cache);
    (await attic.call("DELETE", configPath(cache))).isDone();
    const again = await attic.call("POST", configPath(cache), { json: creation() });
    assert.equal(again.status === 400, softDeletion ?? again.status === 400);
    if (again.status === 400) {
      again.isRefused("CacheAlreadyExists");
      (await attic.call("GET", configPath(cache))).isRefused("NoSuchCache");
      return;
    }
    again.isDone();
    assert.notEqual((await attic.config(cache)).public_key, old);
  });

  it("does not ask what else the token may do", async () => {
    const cache = await attic.cache();
    const others = EVERYTHING.filter((permission) => permission !== "destroyCache");
    (await attic.call("DELETE", configPath(cache), { token: attic.tokenFor(cache, ...others) })).isRefused(
      "AccessError",
    );
    assert.equal((await attic.config(cache)).priority, 41);
  });
});
