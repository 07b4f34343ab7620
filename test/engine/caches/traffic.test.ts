import assert from "node:assert/strict";
import type { CacheStack } from "../../support/cache-stack.ts";
import { CacheWorld } from "../../support/cache-world.ts";

const NAMES = Array.from({ length: 100 }, (_, index) => `cache-${index}`).sort();
/** How many requests may be under way at once. */
const MOST = 16;

describe("what a hundred caches and a hundred tokens ask of the server", () => {
  let world: CacheWorld;
  let stack: CacheStack;

  before(async () => {
    world = await CacheWorld.start();
    // Long enough that those who may be under way together are.
    world.proxy.delay = 200;
    stack = await world.open({
      caches: Object.fromEntries(NAMES.map((name) => [name, { name, retention: "90d" }])),
      tokens: Object.fromEntries(
        NAMES.map((cache) => [`for-${cache}`, { subject: cache, permissions: [{ cache, allow: ["pull"] }] }]),
      ),
    });
  });
  after(() => world.stop());
  beforeEach(() => {
    world.proxy.forget();
  });

  const connected = () => [world.proxy.most, world.proxy.connections];

  it("is two calls a cache to make them, by 16 connections that are kept", async () => {
    const { ok, steps } = await stack.up({ parallel: 100 });
    assert.deepEqual([ok, steps.length], [true, 200]);
    const expected = NAMES.flatMap((name) => [`PATCH ${name}`, `POST ${name}`]);
    assert.deepEqual(world.proxy.calls.sort(), expected.sort());
    // The engine writes its state between the beginnings of two, so that there may be fewer at once.
    for (const count of connected()) assert.ok(count <= MOST, String(count));
  });

  it("is nothing where nothing changes", async () => {
    const { ok, steps } = await stack.up({ parallel: 100 });
    assert.deepEqual([ok, steps, world.proxy.calls, connected()], [true, [], [], [0, 0]]);
  });

  it("is one call a cache to refresh them, by 16 connections that are kept", async () => {
    const { ok, steps } = await stack.refresh({ parallel: 100 });
    assert.deepEqual([ok, steps], [true, []]);
    assert.deepEqual(
      world.proxy.calls.sort(),
      NAMES.map((name) => `GET ${name}`),
    );
    assert.deepEqual(connected(), [MOST, MOST]);
  });

  it("is two calls for the one that changes: whose it is, and the change", async () => {
    stack.declared.caches!["cache-7"]!.isPublic = true;
    const { ok, steps } = await stack.up();
    assert.deepEqual(
      [ok, steps, world.proxy.calls],
      [true, ["update cache-7"], ["GET cache-7", "PATCH cache-7"]],
    );
  });

  it("is two calls a cache to delete them, and none for the tokens", async () => {
    const { ok } = await stack.destroy();
    assert.equal(ok, true);
    assert.deepEqual(
      world.proxy.calls.sort(),
      NAMES.flatMap((name) => [`DELETE ${name}`, `GET ${name}`]).sort(),
    );
    assert.deepEqual(await world.api.names(), []);
  });
});
