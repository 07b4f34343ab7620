import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { readProjectFile } from "../../../components/settings/project-file.ts";

const PROJECT = fileURLToPath(new URL("../../../", import.meta.url));

describe("a file of the project", () => {
  let folder = "";
  const path = (name: string) => relative(PROJECT, join(folder, name));

  before(() => {
    folder = mkdtempSync(join(tmpdir(), "attic stack #1 %41-"));
  });
  after(() => {
    rmSync(folder, { recursive: true, force: true });
  });

  it("is found by its path from the folder of Pulumi.yaml, wherever the program was started", () => {
    const start = process.cwd();
    process.chdir(tmpdir());
    try {
      assert.match(readProjectFile("Pulumi.yaml").text ?? "", /^name: attic-stack\n/);
      assert.match(readProjectFile("./docs/../Pulumi.yaml").text ?? "", /^name: attic-stack\n/);
    } finally {
      process.chdir(start);
    }
  });

  it("may stand outside, in folders of any name", () => {
    writeFileSync(join(folder, "ä b?.yaml"), "caches: [] # ü\n");
    assert.deepEqual(readProjectFile(path("ä b?.yaml")), { text: "caches: [] # ü\n" });
  });

  it("is none where there is none", () => {
    assert.deepEqual(readProjectFile("no-such-file.yaml"), { fault: "is not there" });
    assert.deepEqual(readProjectFile("Pulumi.yaml/attic.yaml"), { fault: "is not there" });
  });

  it("is none that is a folder", () => {
    mkdirSync(join(folder, "sub"));
    assert.deepEqual(readProjectFile(path("sub")), { fault: "is a folder or a device" });
    assert.deepEqual(readProjectFile(relative(PROJECT, "/dev/null")), { fault: "is a folder or a device" });
  });

  it("is none that is not text, or far too long", () => {
    writeFileSync(join(folder, "latin1"), Buffer.from("caf\xe9", "latin1"));
    assert.deepEqual(readProjectFile(path("latin1")), { fault: "is not UTF-8" });
    truncateSync(join(folder, "latin1"), 1024 * 1024 + 1);
    assert.deepEqual(readProjectFile(path("latin1")), { fault: "is larger than 1 MiB" });
  });

  it("is none that is a link to itself", () => {
    symlinkSync("circle", join(folder, "circle"));
    assert.deepEqual(readProjectFile(path("circle")), { fault: "cannot be read (ELOOP)" });
  });
});
