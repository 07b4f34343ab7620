import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import type { EngineEvent } from "@pulumi/pulumi/automation/index.js";
import { Cluster } from "../support/cluster.ts";
import { run } from "../support/command.ts";
import { ArgumentWatch } from "../support/processes.ts";
import { TestStack } from "../support/sandbox.ts";
import { formsOf, secretsIn, secretsOfCluster, secretsOfState } from "../support/secrets.ts";

const NAMESPACE = "secrets-test";
const FIRST = { namespace: NAMESPACE };
/** Other kinds, whose secrets are settings; what the first ones made is taken away. */
const SECOND = {
  ...FIRST,
  server: { signingAlgorithm: "HS256" },
  database: { kind: "existing" },
  storage: { kind: "existing", bucket: "chunks", region: "eu-central-1" },
};

/** Secrets as somebody would set them, with what is special in a URL and in JSON. */
const SETTINGS = {
  databaseUrl: `postgres://attic:${encodeURIComponent(randomText())}@db.example.org:5432/attic`,
  storageAccessKeyId: randomText(),
  storageSecretAccessKey: randomText(),
};

function randomText(): string {
  return `${randomBytes(18).toString("base64")}"\\/`;
}

/** Where no secret may stand in clear, each with something that stands there for certain. */
const PLACES = {
  "the state, its history and its backups": "kubernetes:core/v1:Secret::attic-environment",
  "the stack's file": "attic-stack:databaseUrl",
  "a preview with its differences": "attic-environment",
  "a preview as JSON": "attic-environment",
  "the events of an update": "kubernetes:core/v1:Secret::attic-environment",
  "what an update prints": "attic-environment",
  "the cluster's objects, but Secrets": '"kind":"Event"',
  "the control plane's logs": "kube-apiserver",
  "the logs of Attic, PostgreSQL and the object store": "api-server: started as process",
  "the arguments of processes while the stack is updated": "pulumi up ",
};
type Place = keyof typeof PLACES;

/** The secrets of both settings. */
const KNOWN: readonly string[] = [
  "attic-environment ATTIC_SERVER_DATABASE_URL",
  "attic-environment ATTIC_SERVER_DATABASE_URL password",
  "attic-environment ATTIC_SERVER_TOKEN_HS256_SECRET_BASE64",
  "attic-environment ATTIC_SERVER_TOKEN_RS256_SECRET_BASE64",
  "attic-environment AWS_SECRET_ACCESS_KEY",
  "attic-garage-admin-token outputs.bcryptHash",
  "attic-garage-keys GARAGE_ADMIN_TOKEN",
  "attic-garage-keys GARAGE_DEFAULT_SECRET_KEY",
  "attic-garage-keys GARAGE_RPC_SECRET",
  "attic-garage-rpc-secret outputs.bcryptHash",
  "attic-garage-secret-access-key outputs.bcryptHash",
  "attic-postgres-password outputs.bcryptHash",
  "attic-postgres-password password",
  "attic-postgres-tls tls.key",
  "attic-postgres-tls-key outputs.privateKeyOpenssh",
  "attic-postgres-tls-key outputs.privateKeyPemPkcs8",
  "attic-signing-key-hmac outputs.bcryptHash",
  "attic-signing-key-hmac outputs.result",
  "attic-signing-key-rsa outputs.privateKeyOpenssh",
  "attic-signing-key-rsa outputs.privateKeyPem",
  "attic-signing-key-rsa outputs.privateKeyPemPkcs8",
  "attic-token-ci outputs.value",
  "attic-token-reader outputs.value",
  "storageAccessKeyId",
];

describe("secrets", function () {
  const secrets = new Map<string, string>();
  let texts: Record<Place, string>;

  before(async function () {
    this.timeout(1_200_000);
    const stack = await TestStack.open("secrets", FIRST);
    const { sandbox } = stack;
    const cluster = await Cluster.of(sandbox);
    const project = join(sandbox.folder, "project");
    const pulumi = async (args: readonly string[], input = "") => {
      const line = [...args, "--stack", stack.name, "--non-interactive"];
      const { code, stdout, stderr } = await run("pulumi", line, { cwd: project, env: sandbox.env, input });
      assert.equal(code, 0, stderr);
      return stdout + stderr;
    };
    /** Notes the secrets that there are now, and gives the objects that should hold none. */
    const learn = async () => {
      const objects = await cluster.objects(NAMESPACE);
      for (const [value, name] of secretsOfState(await stack.state())) secrets.set(value, name);
      for (const [value, name] of secretsOfCluster(objects)) secrets.set(value, name);
      return JSON.stringify(objects.filter(({ kind }) => kind !== "Secret"));
    };

    const watch = new ArgumentWatch();
    const first = await stack.up();
    const objects = await learn();
    for (const [name, value] of Object.entries(SETTINGS)) {
      secrets.set(value, name);
      await pulumi(["config", "set", "--secret", `attic-stack:${name}`], value);
    }
    await stack.configure(SECOND);
    const diff = await pulumi(["preview", "--diff"]);
    const json = await pulumi(["preview", "--json"]);
    const second = await stack.up();
    const objectsAfter = await learn();
    const commands = watch.stop();
    const events = [...first.events, ...second.events].filter(isForPeople);
    const logs = await filesIn(join(sandbox.folder, "control-plane"));
    const programs = await filesIn(join(sandbox.folder, "programs"));
    texts = {
      "the state, its history and its backups": await textOf(await filesIn(join(sandbox.folder, "state"))),
      "the stack's file": await textOf(await filesIn(project)),
      "a preview with its differences": diff,
      "a preview as JSON": json,
      "the events of an update": events.map((event) => JSON.stringify(event)).join("\n"),
      "what an update prints": first.stdout + second.stdout,
      "the cluster's objects, but Secrets": objects + objectsAfter,
      "the control plane's logs": await textOf(logs.filter((file) => file.endsWith(".log"))),
      "the logs of Attic, PostgreSQL and the object store": await textOf(
        programs.filter((file) => file.endsWith(".log")),
      ),
      "the arguments of processes while the stack is updated": commands,
    };
    cluster.close();
    await stack.destroy();
  });

  it("are all known to this test", () => {
    assert.deepEqual([...new Set(secrets.values())].sort(), KNOWN);
  });

  it("are found where they stand, in whatever form", () => {
    for (const [secret, name] of secrets) {
      for (const form of formsOf(secret)) {
        const text = `before "${form}" after`;
        assert.ok(secretsIn(text, secrets).includes(name), `${name}: ${form.slice(0, 9)}`);
      }
    }
    assert.deepEqual(secretsIn("before and after", secrets), []);
  });

  for (const [place, marker] of Object.entries(PLACES)) {
    it(`do not stand in ${place}`, () => {
      const text = texts[place as Place];
      assert.ok(text.includes(marker), `${marker} should stand there:\n${text.slice(0, 2000)}`);
      assert.deepEqual(secretsIn(text, secrets), []);
    });
  }
});

/**
 * The SDK writes every answer of the engine into its debug messages, with secrets in clear; the engine shows them
 * to nobody who has not asked for `--debug`. https://github.com/pulumi/pulumi/pull/24478
 */
function isForPeople({ diagnosticEvent }: EngineEvent): boolean {
  return (diagnosticEvent?.severity as string | undefined) !== "debug";
}

async function filesIn(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).map(({ parentPath, name }) => join(parentPath, name));
}

async function textOf(files: readonly string[]): Promise<string> {
  return (await Promise.all(files.map((file) => readFile(file, "utf8")))).join("\n");
}
