import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { makeFolder, type RunAs, withoutRoot } from "../../../../sandbox/programs/user.ts";

/** What a shell script prints that is run so. */
function shell({ prefix, owner }: RunAs, script: string, argument: string): string {
  const line = [...prefix, "/bin/sh", "-c", script, "sh", argument];
  const { stdout, stderr } = spawnSync(line[0] ?? "", line.slice(1), {
    encoding: "utf8",
    cwd: "/",
    ...owner,
  });
  return stdout + stderr;
}

describe("a program that refuses root", () => {
  let place: string;

  beforeEach(() => {
    place = mkdtempSync(join(tmpdir(), "attic-stack-user-"));
  });

  afterEach(() => {
    rmSync(place, { recursive: true });
  });

  for (const [what, mode] of [
    ["where everybody can get to", 0o755],
    ["where nobody else can get to", 0o700],
  ] as const) {
    it(`runs as somebody else in a folder ${what}, and all that it needs there is its own`, async () => {
      chmodSync(place, mode);
      const sandbox = join(place, "sandbox");
      const runAs = await withoutRoot("/bin/sh", [sandbox]);
      const own = join(sandbox, "data/deep");
      mkdirSync(join(sandbox, "data"), { recursive: true, mode: 0o711 });
      await makeFolder(own, runAs.owner);
      assert.notEqual(shell(runAs, "id -u", "").trim(), "0");
      assert.equal(shell(runAs, 'touch "$1/file" && stat -c %u "$1/file"', own), shell(runAs, "id -u", ""));
      assert.equal(statSync(own).mode & 0o777, 0o700);
      // Passing through is all that others may do in what is the sandbox's own.
      assert.equal(statSync(sandbox).mode & 0o066, 0);
    });
  }

  it("gives folders that are missing to their owner, and those that were there to nobody else", async () => {
    const runAs = await withoutRoot("/bin/sh", []);
    const own = join(place, "a/b/c");
    mkdirSync(join(place, "a"));
    await makeFolder(own, runAs.owner);
    const uid = (path: string) => statSync(join(place, path)).uid;
    assert.equal(uid("a"), statSync(place).uid);
    const expected = runAs.owner?.uid ?? statSync(place).uid;
    assert.deepEqual([uid("a/b"), uid("a/b/c")], [expected, expected]);
  });
});
