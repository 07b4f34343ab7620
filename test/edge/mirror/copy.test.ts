import assert from "node:assert/strict";
import { after, before, describe, it } from "mocha";
import { MirrorWorld } from "../../support/mirror.ts";

describe("the mirror", function () {
  this.timeout(60_000);
  let world: MirrorWorld;
  let key: string;
  before(async () => {
    world = await MirrorWorld.start();
    await world.api.create("main");
    key = (await world.api.config("main")).public_key;
  });
  after(() => world.stop());

  it("copies what there is", async () => {
    const paths = [
      ...(await world.pushSome("main", 20, 1000)),
      ...(await world.pushSome("main", 5, 400_000)),
    ];
    const result = await world.run();
    assert.equal(result.code, 0, result.printed);
    assert.deepEqual(await world.bucket.paths(), paths.map(({ hash }) => hash).sort());
    assert.deepEqual(await world.bucket.faults(key), []);
  });
});
