import assert from "node:assert/strict";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type Result, run } from "../support/command.ts";
import { LAB } from "../support/lab.ts";
import { started } from "../support/started.ts";

describe("the plain CLI in a sandbox that npm start has deployed", function () {
  this.timeout(1_200_000);
  let sandbox: string;

  before(async () => {
    sandbox = join((await started()).folder, "lab");
  });

  /** As a person does it: the environment's file, then `pulumi` in the folder of the project. */
  async function pulumi(...args: readonly string[]): Promise<Result> {
    const line = `. "$0/env" && cd "$0/project" && exec pulumi "$@"`;
    return await run("sh", ["-c", line, sandbox, ...args, "--stack", "lab", "--non-interactive"]);
  }

  it("previews no change", async () => {
    const { code, stdout, stderr } = await pulumi("preview");
    assert.equal(code, 0, stderr);
    assert.match(stdout, new RegExp(`\nResources:\n {4}${LAB.all} unchanged\n`));
    assert.doesNotMatch(stdout, /to (create|update|replace|delete)/);
  });

  it("previews what a change of the settings would do, and changes nothing", async () => {
    await withSettings({ "kind: garage": "kind: minio" }, async () => {
      const { code, stdout, stderr } = await pulumi("preview");
      assert.equal(code, 0, stderr);
      assert.match(stdout, /\+ {2}attic-stack:storage:Minio attic-minio create/);
      assert.match(stdout, /- {2}attic-stack:storage:Garage attic-garage delete/);
    });
  });

  for (const command of [["preview"], ["up", "--yes", "--skip-preview"]]) {
    it(`shows every mistake of the settings at pulumi ${command.join(" ")}, and leaves the state as it is`, async () => {
      const before = await remembered();
      const wrong = { "kind: garage": "kind: garag", className: "classNme" };
      await withSettings(wrong, async () => {
        const { code, stdout, stderr } = await pulumi(...command);
        const printed = stdout + stderr;
        assert.notEqual(code, 0);
        assert.match(printed, /error: Pulumi\.lab\.yaml has 2 mistakes; nothing was changed\.\n/);
        assert.match(
          printed,
          /gateway\.classNme\n +found: +a key that is not known\n +allowed: did you mean className\?/,
        );
        assert.match(printed, /storage\.kind\n +found: +"garag"\n +allowed: +did you mean garage\?/);
        assert.doesNotMatch(printed, /\n +at .*:\d+:\d+/);
      });
      assert.deepEqual(await remembered(), before);
    });
  }

  /** All that the engine remembers: an update that fails writes it anew, with its time and its place in a program. */
  async function remembered(): Promise<unknown> {
    const { code, stdout, stderr } = await pulumi("stack", "export", "--show-secrets");
    assert.equal(code, 0, stderr);
    const { deployment } = JSON.parse(stdout) as { deployment: { resources: Record<string, unknown>[] } };
    assert.equal(deployment.resources.length, LAB.inState);
    return deployment.resources.map(({ sourcePosition, stackTrace, ...resource }) => resource);
  }

  /** Changes the engine's copy of the stack's file for as long as `work` takes. */
  async function withSettings(changes: Record<string, string>, work: () => Promise<void>): Promise<void> {
    const file = join(sandbox, "project/Pulumi.lab.yaml");
    const text = await readFile(file, "utf8");
    let changed = text;
    for (const [from, to] of Object.entries(changes)) {
      assert.ok(text.includes(from), from);
      changed = changed.replace(from, to);
    }
    await writeFile(file, changed);
    try {
      await work();
    } finally {
      await writeFile(file, text);
    }
  }
});
