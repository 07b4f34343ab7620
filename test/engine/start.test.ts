import assert from "node:assert/strict";
import { readdir, readFile, rm, writeFile } from "node:fs/promises";
import { type AddressInfo, createServer } from "node:net";
import { join } from "node:path";
import { ROOT } from "../../sandbox/paths.ts";
import { Cluster } from "../support/cluster.ts";
import { type Result, sandboxCommand } from "../support/command.ts";
import { isSignedBy, parseNarInfo } from "../contract/support/narinfo.ts";
import { LAB, programsOf } from "../support/lab.ts";
import { processesOf } from "../support/processes.ts";
import { secretsIn, secretsOfCluster } from "../support/secrets.ts";
import { type Started, started, temporaryFolder } from "../support/started.ts";

/** What the lab's settings make, as a start says it. */
const SUM = `${LAB.resources} resources in ${LAB.components} components`;
/** A line of the table of components. */
const LISTED = /^[A-Z]\w+ {2}attic(-\w+)* {2}[A-Z]/;

describe("npm start", function () {
  let done: Started;
  let deployed: Result;
  let waited: Result;

  before(async function () {
    this.timeout(1_200_000);
    done = await started();
    const [one, other] = done.together as [Result, Result];
    const first = one.stdout.includes(`${LAB.all} created`) ? one : other;
    [deployed, waited] = first === one ? [one, other] : [other, one];
  });

  it("deploys the stack without any network where everything is cached", () => {
    assert.equal(deployed.code, 0, deployed.stderr);
    assert.match(deployed.stdout, new RegExp(`^\nlab: ${LAB.all} created; ${SUM} \\(\\d+\\.\\d s\\)\n`));
  });

  const addresses = async () =>
    JSON.parse(await readFile(join(done.folder, "endpoints.json"), "utf8")) as Record<string, string>;

  it("says which components there are, of what, where they are, and what to try next", async () => {
    const endpoints = await addresses();
    // A long list goes on in the next line.
    const unfolded = deployed.stdout.replace(/,\n +/g, ", ");
    const lines = unfolded.split("\n").map((line) => line.replace(/ {2,}/g, "  "));
    const components = lines.filter((line) => LISTED.test(line)).map((line) => line.split("  ")[0]);
    assert.equal(components.length, LAB.components);
    for (const line of [
      "Garage  attic-garage  ConfigMap, NetworkPolicy ×2, PersistentVolumeClaim ×2, RandomId, RandomPassword ×3, Secret, Service, StatefulSet",
      "Platform  attic  Namespace, NetworkPolicy",
      `Kubernetes API  ${done.folder}/lab/control-plane/kubeconfig`,
      `Attic  ${endpoints.attic}`,
      `Object store  ${endpoints.s3}`,
      `PostgreSQL  ${endpoints.postgres}`,
    ]) {
      assert.ok(lines.includes(line), `${line}\n\nshould stand in:\n${lines.join("\n")}`);
    }
    assert.match(
      deployed.stdout,
      /\nNext, .*\n {2}\. \S+\/lab\/env\n(?: {2}\S.*\n)+\nnpm stop ends the sandbox\.\n$/,
    );
  });

  it("gives each cache a path to pull, with its key and the command for it", async () => {
    const { attic = "" } = await addresses();
    const commands = [...done.again.stdout.matchAll(/^ {2}nix-store --realise (\S+) (.*)$/gm)];
    assert.equal(commands.length, 2);
    for (const [index, name] of ["main", "private"].entries()) {
      const [, path = "", options = ""] = commands[index]!;
      const words = options.split(" ");
      const [, substituter = "", , key = ""] = words.filter((word) => word !== "--option");
      assert.equal(substituter, `${attic}${name}`);
      const netrc = await readFile(join(done.folder, "lab/netrc"), "utf8");
      const token = /^password (\S+)$/m.exec(netrc)?.[1] ?? "";
      const headers = name === "main" ? {} : { authorization: `Basic ${btoa(`attic:${token}`)}` };
      assert.equal(words.includes("netrc-file"), name === "private");
      const hash = path.slice("/nix/store/".length).split("-")[0] ?? "";
      const response = await fetch(`${substituter}/${hash}.narinfo`, { headers });
      assert.equal(response.status, 200);
      const narInfo = parseNarInfo(await response.text());
      assert.equal(narInfo.StorePath, path);
      assert.ok(isSignedBy(narInfo, key), key);
      const nar = await fetch(`${substituter}/${narInfo.URL ?? ""}`, { headers });
      assert.equal(nar.status, 200);
      assert.match(Buffer.from(await nar.arrayBuffer()).toString("latin1"), /[^]/);
    }
    const refused = await fetch(`${attic}private/nix-cache-info`);
    assert.equal(refused.status, 401);
  });

  it("shows its progress", () => {
    for (const task of ["Kubernetes", "Pulumi stack", "pulumi up --stack lab"]) {
      assert.match(deployed.stderr, new RegExp(`^  ✓ ${task} \\(`, "m"));
    }
  });

  it("leaves the addresses in endpoints.json", async () => {
    const kubernetes = join(done.folder, "lab/control-plane/kubeconfig");
    const { attic = "", s3 = "", postgres = "", ...rest } = await addresses();
    assert.deepEqual(rest, { stack: "lab", kubernetes });
    assert.match(attic, /^http:\/\/127\.0\.0\.1:\d+\/$/);
    assert.match(s3, /^http:\/\/127\.0\.0\.1:\d+$/);
    assert.match(postgres, /^localhost:\d+$/);
    const { clusters } = JSON.parse(await readFile(kubernetes, "utf8")) as { clusters: unknown[] };
    assert.equal(clusters.length, 1);
  });

  it("waits for another one at the same time, and then changes nothing", () => {
    assert.equal(waited.code, 0, waited.stderr);
    assert.match(waited.stderr, /^ {2}… waiting for process \d+, which is starting lab too$/m);
    assert.match(waited.stdout, new RegExp(`^\nlab: nothing changed; ${SUM} `));
  });

  it("goes on where the sandbox was after npm stop, and says that nothing changed", () => {
    assert.equal(done.again.code, 0, done.again.stderr);
    assert.match(done.again.stdout, new RegExp(`^\nlab: nothing changed; ${SUM} `));
  });

  it("prints no secret", async () => {
    const cluster = await Cluster.in(join(done.folder, "lab"));
    const secrets = secretsOfCluster(await cluster.objects("attic"));
    cluster.close();
    assert.equal(secrets.size, 7);
    const printed = [...done.together, done.stopped, done.again].map(({ stdout, stderr }) => stdout + stderr);
    assert.deepEqual(secretsIn(printed.join("\n"), secrets), []);
    const [[secret, name] = ["", ""]] = secrets;
    assert.deepEqual(secretsIn(`${printed.join("\n")}${secret}`, secrets).includes(name), true);
  });

  it("is told apart from a stack that is not there, with the nearest one and no cluster", async () => {
    const folder = await temporaryFolder();
    const { code, stdout, stderr } = await sandboxCommand(folder, ["start", "labb"]).result;
    assert.equal(code, 1);
    assert.equal(stdout, "");
    assert.match(
      stderr,
      /^\nThere is no Pulumi\.labb\.yaml; did you mean lab\? Stacks here: .*\blab, production\.\n$/,
    );
    assert.deepEqual(await readdir(folder), []);
  });

  it("shows every mistake of a wrong file, and neither a stack trace nor a cluster", async () => {
    const folder = await temporaryFolder();
    const file = join(ROOT, "Pulumi.test-wrong.yaml");
    await writeFile(
      file,
      [
        "config:",
        "  attic-stack:gateway: { kind: ngnix }",
        "  attic-stack:storage: { kind: garage, host: s3.example.com, sise: 1Gi }",
        "  attic-stack:databse: { kind: postgres }",
        "",
      ].join("\n"),
    );
    try {
      const { code, stdout, stderr } = await sandboxCommand(folder, ["start", "test-wrong"]).result;
      assert.equal(code, 1);
      assert.equal(stdout, "");
      assert.match(stderr, /^\nPulumi\.test-wrong\.yaml has 3 mistakes; nothing was changed\.\n/);
      assert.match(stderr, /gateway\.kind\n +found: +"ngnix"\n +allowed: did you mean nginx\?/);
      assert.match(stderr, /storage\.sise\n +found: .*\n +allowed: did you mean size\?/);
      assert.match(stderr, /databse\n +found: .*\n +allowed: did you mean database\?/);
      assert.doesNotMatch(stderr, /\n +at /);
      assert.deepEqual(await readdir(folder), []);
    } finally {
      await rm(file);
    }
  });

  it("names who has the port that was asked for, and leaves no process", async () => {
    const folder = await temporaryFolder();
    const other = createServer();
    await new Promise<void>((resolve) => other.listen(0, "127.0.0.1", resolve));
    const { port } = other.address() as AddressInfo;
    const env = { SANDBOX_KUBERNETES_PORT: String(port) };
    const { code, stderr } = await sandboxCommand(folder, ["start"], { env }).result;
    await new Promise((resolve) => other.close(resolve));
    assert.equal(code, 1);
    assert.match(
      stderr,
      new RegExp(
        `\nPort ${port} on 127\\.0\\.0\\.1, which SANDBOX_KUBERNETES_PORT asks for, is taken by .* \\(process ${process.pid}\\): end that, or set SANDBOX_KUBERNETES_PORT to another port or to nothing\\.\n$`,
      ),
    );
    assert.deepEqual(processesOf(folder), []);
  });
});

describe("npm stop", function () {
  this.timeout(1_200_000);

  it("ends every process of the sandbox", async () => {
    const { stopped, left } = await started();
    assert.equal(stopped.code, 0);
    assert.match(stopped.stderr, new RegExp(`^Stopped ${programsOf(1).length} processes\\. `, "m"));
    assert.deepEqual(left, []);
  });

  it("is needed: the processes of a start go on without it", async () => {
    const { folder } = await started();
    const running = processesOf(folder).map(({ command }) => command.split(" ")[0]?.split("/").at(-1));
    assert.deepEqual(running.sort(), programsOf(1));
  });

  it("says so where there is nothing to end", async () => {
    const { code, stderr } = await sandboxCommand(await temporaryFolder(), ["stop"]).result;
    assert.equal(code, 0);
    assert.equal(stderr, "No sandbox was running.\n");
  });
});
