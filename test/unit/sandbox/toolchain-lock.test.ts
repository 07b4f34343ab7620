import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { withLock } from "../../../sandbox/support/lock.ts";

const LOCK = join(import.meta.dirname, "../../../sandbox/support/lock.ts");
const nobody = (pid: number) => {
  assert.fail(`nobody holds the lock, and process ${pid} is waited for`);
};

describe("lock", () => {
  const name = `test ${process.pid}`;

  it("is let go when the work is done, and when it fails", async () => {
    assert.equal(await withLock(name, nobody, () => Promise.resolve(1)), 1);
    const failing = withLock(name, nobody, () => Promise.reject(new Error("no luck")));
    await assert.rejects(failing, { message: "no luck" });
    assert.equal(await withLock(name, nobody, () => Promise.resolve(2)), 2);
  });

  it("lets one in at a time", async () => {
    let inside = 0;
    let most = 0;
    const work = async () => {
      inside += 1;
      most = Math.max(most, inside);
      await new Promise((resolve) => setImmediate(resolve));
      inside -= 1;
    };
    await Promise.all(Array.from({ length: 10 }, () => withLock(name, () => undefined, work)));
    assert.equal(most, 1);
  });

  it("does not mind another name", async () => {
    await withLock(name, nobody, () => withLock(`${name} other`, nobody, () => Promise.resolve()));
  });

  it("tells who holds it, and goes to the next when the holder is killed", async () => {
    const script = `
      import { withLock } from ${JSON.stringify(LOCK)};
      await withLock(${JSON.stringify(name)}, () => undefined, async () => {
        console.log("held");
        await new Promise((resolve) => setTimeout(resolve, 3_600_000));
      });`;
    const holder = spawn(process.execPath, ["--input-type=module", "-e", script], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    await once(holder.stdout, "data");
    const told: number[] = [];
    const result = await withLock(
      name,
      (pid) => {
        told.push(pid);
        holder.kill("SIGKILL");
      },
      () => Promise.resolve("mine"),
    );
    assert.equal(result, "mine");
    assert.deepEqual(told, [holder.pid]);
  });
});
