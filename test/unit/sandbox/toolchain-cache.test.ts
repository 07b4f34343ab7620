import assert from "node:assert/strict";
import { mkdirSync, readdirSync, readFileSync, truncateSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { findEntry, provideEntry } from "../../../sandbox/toolchain/cache.ts";
import { FakeMachine } from "../../support/fake-releases.ts";

describe("toolchain cache", () => {
  let machine: FakeMachine;
  let made: number;

  beforeEach(async () => {
    machine = new FakeMachine();
    await machine.start();
    made = 0;
  });

  afterEach(async () => {
    await machine.stop();
  });

  const provide = () =>
    provideEntry(
      "entry-1",
      () => undefined,
      (folder) => {
        made += 1;
        writeFileSync(join(folder, "program"), "0123456789");
        return Promise.resolve();
      },
    );
  const file = () => join(machine.cache, "entry-1", "program");

  it("makes an entry once", async () => {
    assert.equal(await provide(), join(machine.cache, "entry-1"));
    assert.equal(await provide(), join(machine.cache, "entry-1"));
    assert.equal(made, 1);
  });

  it("makes it once for two that want it at the same time", async () => {
    assert.deepEqual(await Promise.all([provide(), provide()]), [
      join(machine.cache, "entry-1"),
      join(machine.cache, "entry-1"),
    ]);
    assert.equal(made, 1);
  });

  const damages: Record<string, () => void> = {
    "that is cut off": () => {
      truncateSync(file(), 5);
    },
    "with other content of the same size": () => {
      writeFileSync(file(), "9876543210");
    },
    "whose list of files is cut off": () => {
      truncateSync(join(machine.cache, "entry-1", "record.json"), 20);
    },
  };
  for (const [which, damage] of Object.entries(damages)) {
    it(`makes an entry again ${which}`, async () => {
      await provide();
      damage();
      assert.equal(await findEntry("entry-1"), undefined);
      await provide();
      assert.equal(made, 2);
      assert.equal(readFileSync(file(), "utf8"), "0123456789");
    });
  }

  it("keeps one that was only copied, so that its time is another", async () => {
    await provide();
    utimesSync(file(), 1, 1);
    await provide();
    assert.equal(made, 1);
  });

  it("leaves nothing behind where making fails, and of a process that was killed", async () => {
    mkdirSync(join(machine.cache, ".entry-1.4711.new"), { recursive: true });
    mkdirSync(join(machine.cache, ".entry-10.4711.new"));
    const failing = provideEntry(
      "entry-1",
      () => undefined,
      () => Promise.reject(new Error("no luck")),
    );
    await assert.rejects(failing, { message: "no luck" });
    assert.deepEqual(readdirSync(machine.cache), [".entry-10.4711.new"]);
  });
});
