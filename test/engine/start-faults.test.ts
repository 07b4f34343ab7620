import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { Cluster, isMadeByUs } from "../support/cluster.ts";
import { type Result, sandboxCommand } from "../support/command.ts";
import { LAB, programsOf } from "../support/lab.ts";
import { processesOf } from "../support/processes.ts";
import { randomNumbers } from "../support/random.ts";
import type { State } from "../support/sandbox.ts";
import { secretsIn, secretsOfCluster } from "../support/secrets.ts";
import { temporaryFolder } from "../support/started.ts";

/** The same seed gives the same moments: `TEST_SEED=7 npm test engine`. */
const SEED = Number(process.env.TEST_SEED ?? Date.now() % 1_000_000);

const SUM = `${LAB.resources} resources in ${LAB.components} components`;

describe(`npm start after a kill (TEST_SEED=${SEED})`, function () {
  this.timeout(1_200_000);
  let folder: string;
  const random = randomNumbers(SEED);
  const start = () => sandboxCommand(folder, ["start"]);

  before(async () => {
    folder = await temporaryFolder();
  });

  const moments: readonly { what: string; begin: RegExp; within: number }[] = [
    { what: "while the cluster starts", begin: /Kubernetes: /, within: 5_000 },
    { what: "while the stack is opened or deployed", begin: /✓ Kubernetes/, within: 3_000 },
    { what: "while the stack is deployed", begin: /✓ Pulumi stack/, within: 5_000 },
    { what: "while the rest of it is deployed", begin: /✓ Pulumi stack/, within: 5_000 },
  ];

  for (const { what, begin, within } of moments) {
    it(`was killed with all of its group ${what}`, async () => {
      const command = start();
      await command.untilPrinted(begin);
      await sleep(random() * within);
      command.kill();
      await command.result;
      assert.equal(/ at .*:\d+:\d+/.test(command.printed), false, command.printed);
    });
  }

  it("was killed without its group, and its engine is ended by the next start", async () => {
    const command = start();
    await command.untilPrinted(/✓ Pulumi stack/);
    const engine = async () => {
      for (;;) {
        const found = engines();
        if (found.length > 0) return found;
        await sleep(20);
      }
    };
    const left = await engine();
    for (const { pid } of mains()) process.kill(pid, "SIGKILL");
    await command.result;
    const { code, stdout, stderr } = await start().result;
    assert.equal(code, 0, stderr);
    assert.match(stdout, new RegExp(`^\nlab: .*; ${SUM} `));
    const still = processesOf(folder).map(({ pid }) => pid);
    assert.deepEqual(
      left.filter(({ pid }) => still.includes(pid)),
      [],
    );
  });

  it("finds nothing left to do then, and nothing is doubled", async () => {
    const { code, stdout, stderr } = await start().result;
    assert.equal(code, 0, stderr);
    assert.match(stdout, new RegExp(`^\nlab: nothing changed; ${SUM} `));
    await isWhole(join(folder, "lab"), "lab", "attic");
    assert.deepEqual(programs(folder), programsOf(1));
  });

  it("has written no secret into the state in clear", async () => {
    const cluster = await Cluster.in(join(folder, "lab"));
    const secrets = secretsOfCluster(await cluster.objects("attic"));
    cluster.close();
    assert.equal(secrets.size, 7);
    assert.deepEqual(secretsIn(await readFile(stateFile(join(folder, "lab"), "lab"), "utf8"), secrets), []);
  });

  const mains = () =>
    processesOf(folder).filter(({ command }) => /sandbox\/(main\.ts|run\.mjs) /.test(command));
  const engines = () => processesOf(folder).filter(({ command }) => command.startsWith("pulumi up "));
});

describe(`npm start of another stack whose API server was killed during the update (TEST_SEED=${SEED})`, function () {
  this.timeout(1_200_000);
  let folder: string;
  let failed: Result;

  before(async () => {
    folder = await temporaryFolder();
    const command = sandboxCommand(folder, ["start", "production"]);
    await command.untilPrinted(/✓ Pulumi stack/);
    const cluster = await Cluster.in(join(folder, "production"));
    const namespace = () => cluster.call("GET", "/api/v1/namespaces/attic").catch(() => undefined);
    while ((await namespace()) === undefined) await sleep(20);
    // In the middle: of what is under way the engine will not hear.
    await sleep(randomNumbers(SEED)() * 1_000);
    cluster.close();
    const pid = await readFile(join(folder, "production/control-plane/kube-apiserver.pid"), "utf8");
    process.kill(Number(pid), "SIGKILL");
    failed = await command.result;
  });

  it("says which program ended, and that nothing is lost", () => {
    assert.equal(failed.code, 1);
    assert.equal(failed.stdout, "");
    assert.match(
      failed.stderr,
      /\nkube-apiserver of the sandbox ended while the stack was being deployed; its log is \S+\/kube-apiserver\.log\. Nothing is lost: npm start starts it again and goes on from there\.\n$/,
    );
    assert.doesNotMatch(failed.stderr, /\n +at /);
  });

  it("converges when it is started again, and nothing is doubled", async () => {
    const { code, stdout, stderr } = await sandboxCommand(folder, ["start", "production"]).result;
    assert.equal(code, 0, stderr);
    assert.match(stdout, /^\nproduction: \d+ created/);
    await isWhole(join(folder, "production"), "production", "attic");
    assert.deepEqual(programs(folder), programsOf(3));
  });
});

/** The programs that run in a folder of sandboxes. */
function programs(folder: string): string[] {
  return processesOf(folder)
    .map(({ command }) => command.split(" ")[0]?.split("/").at(-1) ?? "")
    .sort();
}

/** What the state holds is in the cluster, once, and nothing else of ours is. */
async function isWhole(sandbox: string, stack: string, namespace: string): Promise<void> {
  const { checkpoint } = JSON.parse(await readFile(stateFile(sandbox, stack), "utf8")) as {
    checkpoint: { latest: State["deployment"] };
  };
  assert.deepEqual(checkpoint.latest.pending_operations ?? [], []);
  const cluster = await Cluster.in(sandbox);
  const there = (await cluster.objects(namespace)).filter(isMadeByUs);
  cluster.close();
  const known = (checkpoint.latest.resources ?? []).filter(
    ({ type }) => type.startsWith("kubernetes:") && !type.endsWith(":Namespace"),
  );
  assert.deepEqual(
    there.map(({ kind, metadata: { name } }) => `${kind} ${name}`).sort(),
    known.map(({ type, id }) => `${type.split(":").at(-1)} ${id?.split("/").at(-1)}`).sort(),
  );
}

function stateFile(sandbox: string, stack: string): string {
  return join(sandbox, `state/.pulumi/stacks/attic-stack/${stack}.json`);
}
