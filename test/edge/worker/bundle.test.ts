import assert from "node:assert/strict";
import { describe, it } from "mocha";
import { bundleWorker } from "../../../components/edge/bundle.ts";

describe("the edge's bundle", () => {
  it("has 20 KB or less", async () => {
    const size = Buffer.byteLength(await bundleWorker());
    assert.ok(size <= 20_000, `${size} bytes`);
  });

  it("is the same, byte for byte, whenever and wherever it is made", async () => {
    const first = await bundleWorker();
    const folder = process.cwd();
    process.chdir("/");
    try {
      assert.equal(await bundleWorker(), first);
    } finally {
      process.chdir(folder);
    }
  });

  it("is one module that needs no other, and names nothing of the machine that made it", async () => {
    const text = await bundleWorker();
    assert.doesNotMatch(text, /\bimport\b|\brequire\(/);
    assert.match(text, /export\{\w+ as default\};\s*$/);
    assert.ok(!text.includes(process.cwd()));
  });
});
