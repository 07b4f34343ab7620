import assert from "node:assert/strict";
import { chmod, mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { request } from "node:http";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { PassThrough } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
import { CreateBucketCommand, ListBucketsCommand, S3Client } from "@aws-sdk/client-s3";
import { KubeConfig, PortForward } from "@kubernetes/client-node";
import pg from "pg";
import { parse } from "smol-toml";
import { startControlPlane } from "../../sandbox/control-plane/index.ts";
import { openSandbox, type Sandbox } from "../../sandbox/engine/sandbox.ts";
import { ROOT, stackFolder, TEST_STACK } from "../../sandbox/paths.ts";
import { findPrograms, programsFolder, stopPrograms } from "../../sandbox/programs/index.ts";
import { type ProgramStatus, readStatus } from "../../sandbox/programs/status.ts";
import { untilAnswers } from "../../sandbox/programs/wait.ts";
import { MARK } from "../../sandbox/support/daemon.ts";
import { Progress } from "../../sandbox/support/progress.ts";
import { UserError } from "../../sandbox/support/user-error.ts";
import { provideManifests, provideTools } from "../../sandbox/toolchain/index.ts";
import { Cluster, type KubernetesObject } from "../support/cluster.ts";
import { processes } from "../support/processes.ts";
import { type Overrides, TestStack, testSandbox } from "../support/sandbox.ts";
import { secretsIn, secretsOfCluster } from "../support/secrets.ts";

const NAMESPACE = "programs-test";
/** Attic without caches: what is tested here is what they would need. */
const PLAIN: Overrides = { namespace: NAMESPACE, caches: undefined, tokens: undefined };
const FOLDER = stackFolder(TEST_STACK);
const POSTGRES = `${NAMESPACE}/attic-postgres-0/postgres`;
const GARAGE = `${NAMESPACE}/attic-garage-0/garage`;

describe("the programs of a sandbox", function () {
  this.timeout(600_000);
  let sandbox: Sandbox;
  let stack: TestStack;
  let cluster: Cluster;
  /** As the stack has them, and where they are on this machine. */
  let addresses: Readonly<Record<string, string>>;

  const open = async () => {
    sandbox = await openSandbox(FOLDER, new Progress(), { programs: true });
    addresses = await untilAnswers(sandbox, new Progress());
  };

  before(async () => {
    await testSandbox();
    stack = await TestStack.open("programs", PLAIN);
    await stack.up();
    await open();
    cluster = await Cluster.of(sandbox);
  });

  after(async () => {
    await stack.destroy();
    cluster.close();
  });

  const program = async (name: string | RegExp): Promise<ProgramStatus> => {
    const { programs = [] } = (await readStatus(programsFolder(FOLDER))) ?? {};
    const found = programs.filter((each) =>
      typeof name === "string" ? each.name === name : name.test(each.name),
    );
    assert.equal(found.length, 1, `${String(name)} in ${JSON.stringify(programs)}`);
    return found[0] ?? assert.fail();
  };
  const address = (name: string) =>
    addresses[name] ?? assert.fail(`${name} is not in ${JSON.stringify(addresses)}`);
  const attic = () => address(`attic.${NAMESPACE}.svc:80`);
  const secretOf = async (start: string) => {
    const secrets = (await cluster.objects(NAMESPACE)).filter(({ kind }) => kind === "Secret");
    const data = secrets.find(({ metadata }) => metadata.name.startsWith(start))?.data ?? assert.fail(start);
    return Object.fromEntries(
      Object.entries(data).map(([key, value]) => [key, Buffer.from(value, "base64").toString()]),
    );
  };
  /** A connection as Attic makes it: the stack's URL, the server's certificate checked in full. */
  const query = async (sql: string): Promise<unknown[]> => {
    const { ATTIC_SERVER_DATABASE_URL = "" } = await secretOf("attic-environment");
    const ca = (await secretOf("attic-postgres-tls"))["tls.crt"] ?? "";
    const { username, password, pathname } = new URL(ATTIC_SERVER_DATABASE_URL);
    const [host = "", port] = address(`attic-postgres.${NAMESPACE}.svc:5432`).split(":");
    const ssl = { ca, rejectUnauthorized: true };
    const database = pathname.slice(1);
    const client = new pg.Client({ host, port: Number(port), user: username, password, database, ssl });
    await client.connect();
    try {
      return (await client.query<Record<string, unknown>>(sql)).rows;
    } finally {
      await client.end();
    }
  };
  const store = async (secretAccessKey?: string, region = "garage"): Promise<S3Client> => {
    const keys = await secretOf("attic-environment");
    return new S3Client({
      endpoint: `http://${address("s3.lab.example.com:443")}`,
      region,
      forcePathStyle: true,
      maxAttempts: 1,
      credentials: {
        accessKeyId: keys.AWS_ACCESS_KEY_ID ?? "",
        secretAccessKey: secretAccessKey ?? keys.AWS_SECRET_ACCESS_KEY ?? "",
      },
    });
  };

  describe("made from what a stack deployed", () => {
    it("answer at addresses of this machine, by the names of Services and by the public ones", async () => {
      assert.equal(await get(attic()), 200);
      assert.equal(attic(), address("cache.lab.example.com:443"));
      assert.equal(address(`attic-garage.${NAMESPACE}.svc:3900`), address("s3.lab.example.com:443"));
      assert.match(address(`attic-postgres.${NAMESPACE}.svc:5432`), /^localhost:\d+$/);
    });

    it("let Attic be asked by the addresses of this machine and by its own name, and by no other", async () => {
      const [, port = ""] = attic().split(":");
      assert.equal(await get(attic(), `localhost:${port}`), 200);
      assert.equal(await get(attic(), "cache.lab.example.com"), 200);
      assert.equal(await get(attic(), "other.example.com"), 400);
    });

    it("are reached by a port-forward through the API server, at the ports of their containers", async () => {
      const server = await program(/\/api-server$/);
      const pod = (name: string) => name.split("/")[1] ?? "";
      assert.match(await forwarded(sandbox, pod(server.name), 8080), /^HTTP\/1\.1 200 /);
      assert.match(await forwarded(sandbox, pod(GARAGE), 3900), /^HTTP\/1\.1 403 /);
      assert.match(await forwarded(sandbox, pod(POSTGRES), 5432, SSL_REQUEST), /^S/);
    });

    it("have run the migrations before the server, in the database of the stack's URL", async () => {
      assert.deepEqual(await query("SELECT count(*)::int AS caches FROM cache"), [{ caches: 0 }]);
      assert.equal((await program(/\/db-migrations$/)).state, "ended");
    });

    it("have a store with the keys and the bucket of the stack, and let no other key in", async () => {
      const { Buckets = [] } = await (await store()).send(new ListBucketsCommand());
      assert.deepEqual(
        Buckets.map(({ Name }) => Name),
        ["attic"],
      );
      const wrong = (await store("0".repeat(64))).send(new ListBucketsCommand());
      await assert.rejects(wrong, { name: "SignatureDoesNotMatch" });
    });

    it("change nothing in server.toml but the store's address and the names that are let through", async () => {
      const { name, port } = await program(/\/api-server$/);
      const text = await readFile(join(programsFolder(FOLDER), name, "server.toml"), "utf8");
      const config = (await cluster.objects(NAMESPACE)).find(
        ({ kind, data }) => kind === "ConfigMap" && data?.["server.toml"] !== undefined,
      );
      const deployed = parse(config?.data?.["server.toml"] ?? "");
      const own = [port, attic().split(":")[1]].flatMap((each) => [`127.0.0.1:${each}`, `localhost:${each}`]);
      const storage = {
        ...(deployed.storage as object),
        endpoint: `http://${address("s3.lab.example.com:443")}`,
      };
      const hosts = [...(deployed["allowed-hosts"] as string[]), ...own];
      assert.deepEqual(plain(parse(text)), plain({ ...deployed, "allowed-hosts": hosts, storage }));
    });

    it("have no secret in their arguments, and none in what the daemon says", async () => {
      const secrets = secretsOfCluster(await cluster.objects(NAMESPACE));
      const commands = processes().map(({ command }) => command);
      const said = ["programs.log", "status.json"].map((file) =>
        readFile(join(programsFolder(FOLDER), file), "utf8"),
      );
      const texts = [...commands, ...(await Promise.all(said))].join("\n");
      assert.match(texts, /--mode api-server/);
      assert.deepEqual(secretsIn(texts, secrets), []);
    });

    it("leave nothing that another user of the machine could read or list", async () => {
      const open: string[] = [];
      for (const folder of [programsFolder(FOLDER), join(FOLDER, "volumes")]) {
        for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
          const path = join(entry.parentPath, entry.name);
          const { mode } = await stat(path).catch(() => ({ mode: 0 }));
          const passing = entry.isDirectory() && relative(folder, path).split("/").length === 1;
          if ((mode & (passing ? 0o066 : 0o077)) !== 0) open.push(`${path} ${(mode & 0o777).toString(8)}`);
        }
      }
      // Ports are no secret.
      assert.deepEqual(
        open.filter((path) => !/\/(ports\.json|programs\.pid) 644$/.test(path)),
        [],
      );
    });

    it("are started again where they are killed, with the same data at the same address", async () => {
      await query("CREATE TABLE kept (word text)");
      await query("INSERT INTO kept VALUES ('before')");
      await (await store()).send(new CreateBucketCommand({ Bucket: "more" }));
      for (const name of [POSTGRES, GARAGE, (await program(/\/api-server$/)).name]) {
        const [pid = assert.fail()] = processesOf(name);
        process.kill(pid, "SIGKILL");
        await replaced(name, pid);
        await until(async () => (await statusOf(name))?.state === "ready");
      }
      const before = addresses;
      addresses = await untilAnswers(sandbox, new Progress());
      assert.deepEqual(addresses, before);
      assert.deepEqual(await query("SELECT word FROM kept"), [{ word: "before" }]);
      const { Buckets = [] } = await (await store()).send(new ListBucketsCommand());
      assert.equal(Buckets.length, 2);
      assert.equal(await get(attic()), 200);
    });

    it("are found by the next start where the daemon was killed, and run once", async () => {
      const before = addresses;
      process.kill((await findPrograms(FOLDER)) ?? assert.fail(), "SIGKILL");
      await until(async () => (await findPrograms(FOLDER)) === undefined);
      await open();
      assert.deepEqual(addresses, before);
      for (const name of [POSTGRES, GARAGE, (await program(/\/api-server$/)).name]) {
        // The children of PostgreSQL do not bear its mark.
        assert.equal(processesOf(name).length, 1, name);
      }
      assert.deepEqual(await query("SELECT word FROM kept"), [{ word: "before" }]);
    });

    it("are gone after a stop, and have their data, tables and addresses after the next start", async () => {
      const before = addresses;
      await stopPrograms(FOLDER);
      assert.deepEqual(marked(), []);
      await assert.rejects(get(attic()), /ECONNREFUSED/);
      await open();
      assert.deepEqual(addresses, before);
      assert.deepEqual(await query("SELECT word FROM kept"), [{ word: "before" }]);
      const { Buckets = [] } = await (await store()).send(new ListBucketsCommand());
      assert.equal(Buckets.length, 2);
    });

    it("take another port where somebody has theirs, and everything that asks them follows", async () => {
      const before = addresses;
      await stopPrograms(FOLDER);
      const name = `attic-postgres.${NAMESPACE}.svc:5432`;
      const port = Number(before[name]?.split(":")[1]);
      const other = createServer();
      await new Promise<void>((resolve) => other.listen(port, "127.0.0.1", resolve));
      try {
        await open();
        assert.notEqual(address(name), before[name]);
        assert.deepEqual({ ...addresses, [name]: "" }, { ...before, [name]: "" });
        assert.deepEqual(await query("SELECT word FROM kept"), [{ word: "before" }]);
        const pod = POSTGRES.split("/")[1] ?? "";
        assert.match(await forwarded(sandbox, pod, 5432, SSL_REQUEST), /^S/);
      } finally {
        await new Promise((resolve) => other.close(resolve));
      }
    });

    it("are other processes where a pod is replaced, and none where it is deleted", async () => {
      const [before = assert.fail()] = processesOf(GARAGE);
      await cluster.call("DELETE", `/api/v1/namespaces/${NAMESPACE}/pods/attic-garage-0`);
      await replaced(GARAGE, before);
      addresses = await untilAnswers(sandbox, new Progress());
      const { Buckets = [] } = await (await store()).send(new ListBucketsCommand());
      assert.equal(Buckets.length, 2);

      const scale = `/apis/apps/v1/namespaces/${NAMESPACE}/statefulsets/attic-collector`;
      const collector = `${NAMESPACE}/attic-collector-0/garbage-collector`;
      assert.equal(processesOf(collector).length, 1);
      await cluster.call("PATCH", scale, { spec: { replicas: 0 } }, "application/merge-patch+json");
      await until(() => processesOf(collector).length === 0);
      await cluster.call("PATCH", scale, { spec: { replicas: 1 } }, "application/merge-patch+json");
      await until(() => processesOf(collector).length === 1);
    });

    it("follow the pods again after the API server was killed and started", async () => {
      const pid = await readFile(join(FOLDER, "control-plane/kube-apiserver.pid"), "utf8");
      process.kill(Number(pid), "SIGKILL");
      await sleep(1_000);
      assert.equal(await get(attic()), 200);
      const names = ["etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler", "kwok"] as const;
      const progress = new Progress();
      const [tools, manifests] = [await provideTools(names, progress), await provideManifests(progress)];
      await startControlPlane({ folder: join(FOLDER, "control-plane"), tools, manifests, progress });
      const { name } = await program(/\/api-server$/);
      await cluster.call("DELETE", `/api/v1/namespaces/${NAMESPACE}/pods/${name.split("/")[1] ?? ""}`);
      await until(async () => processesOf(name).length === 0 && (await answers(attic())));
    });

    it("run with another key where the Secret has another, at the same address", async () => {
      const { name } = await program(/\/api-server$/);
      const before = attic();
      assert.deepEqual(signingKeys(name), ["ATTIC_SERVER_TOKEN_RS256_SECRET_BASE64"]);
      await stack.configure({ ...PLAIN, server: { signingAlgorithm: "HS256" } });
      await stack.up();
      addresses = await untilAnswers(sandbox, new Progress());
      const after = await program(/\/api-server$/);
      assert.notEqual(after.name, name);
      assert.deepEqual(signingKeys(after.name), ["ATTIC_SERVER_TOKEN_HS256_SECRET_BASE64"]);
      await until(() => processesOf(name).length === 0);
      assert.equal(attic(), before);
      assert.equal(await get(attic()), 200);
    });
  });

  describe("with a server that ATTICD names", () => {
    const { ATTICD: named } = process.env;
    let folder: string;

    before(async () => {
      folder = await mkdtemp(join(tmpdir(), "attic-stack-atticd-"));
      const program = join(folder, "atticd");
      const standIn = join(ROOT, "sandbox/attic/main.ts");
      await writeFile(
        program,
        `#!/bin/sh\necho "$@" >> ${folder}/calls\nexec ${process.execPath} ${standIn} "$@"\n`,
      );
      await chmod(program, 0o755);
      nameAtticd(program);
      await open();
    });

    after(async () => {
      nameAtticd(named);
      await open();
      await rm(folder, { recursive: true });
    });

    it("run that one, with the command line of the pod", async () => {
      assert.equal(await get(attic()), 200);
      const { name, port } = await program(/\/api-server$/);
      const collector = `${NAMESPACE}/attic-collector-0/garbage-collector`;
      const file = (of: string) => join(programsFolder(FOLDER), of, "server.toml");
      const calls = (await readFile(join(folder, "calls"), "utf8")).trim().split("\n");
      assert.deepEqual(
        calls.sort(),
        [
          `-f ${file(name)} --mode api-server --listen 127.0.0.1:${port}`,
          `-f ${file(collector)} --mode garbage-collector`,
        ].sort(),
      );
    });
  });

  describe("that cannot run", () => {
    const faults = "programs-faults";
    const pods = `/api/v1/namespaces/${faults}/pods`;

    before(async () => {
      await cluster.call("POST", "/api/v1/namespaces", { metadata: { name: faults } });
      const account = `/api/v1/namespaces/${faults}/serviceaccounts/default`;
      await until(() => cluster.call("GET", account).then(Boolean, () => false));
    });

    after(async () => {
      await cluster.call("DELETE", `/api/v1/namespaces/${faults}`);
      await until(() => cluster.call("GET", `/api/v1/namespaces/${faults}`).then(() => false, Boolean));
      await until(() => !marked().some((name) => name.startsWith(`${faults}/`)));
    });

    it("say why and where the log is, when migrations have a wrong password, and not the password", async () => {
      const url = `postgres://attic:not-the-password@attic-postgres.${NAMESPACE}.svc:5432/attic`;
      await cluster.call("POST", `/api/v1/namespaces/${faults}/secrets`, {
        metadata: { name: "wrong" },
        stringData: {
          ATTIC_SERVER_DATABASE_URL: url,
          ATTIC_SERVER_TOKEN_HS256_SECRET_BASE64: Buffer.from("known to all").toString("base64"),
        },
      });
      const pod = atticPod("db-migrations", "wrong");
      await cluster.call("POST", pods, { metadata: { name: "migrations" }, spec: pod });
      await cluster.call("POST", pods, {
        metadata: { name: "server" },
        spec: atticPod("api-server", "wrong"),
      });
      const log = join(programsFolder(FOLDER), faults, "migrations/attic.log");
      await assert.rejects(untilAnswers(sandbox, new Progress()), (error: Error) => {
        assert.ok(error instanceof UserError);
        assert.equal(
          error.message,
          `${faults}/migrations/attic of the sandbox does not run: it ended with code 1. Its log is ${log}`,
        );
        return true;
      });
      assert.match(await readFile(log, "utf8"), /password authentication failed/);
      assert.equal(
        (await program(`${faults}/server/attic`)).reason,
        `it waits for the migrations of ${faults}/migrations`,
      );
      for (const name of ["migrations", "server"]) await cluster.call("DELETE", `${pods}/${name}`);
    });

    it("wait for a Secret that is not there, and run when it is", async () => {
      const spec = {
        containers: [
          {
            name: "main",
            image: "postgres:18",
            env: [
              { name: "POSTGRES_PASSWORD", valueFrom: { secretKeyRef: { name: "late", key: "password" } } },
            ],
          },
        ],
      };
      await cluster.call("POST", pods, { metadata: { name: "database" }, spec });
      const name = `${faults}/database/main`;
      await until(async () => (await statusOf(name))?.reason === "Secret late does not exist");
      await cluster.call("POST", `/api/v1/namespaces/${faults}/secrets`, {
        metadata: { name: "late" },
        stringData: { password: "now-it-is-there" },
      });
      await until(async () => (await statusOf(name))?.state === "ready");
      await cluster.call("DELETE", `${pods}/database`);
      await until(() => processesOf(name).length === 0);
    });

    it("make their database whole where everything was killed while it was made", async () => {
      await cluster.call("POST", `/api/v1/namespaces/${faults}/persistentvolumeclaims`, {
        metadata: { name: "data" },
        spec: { accessModes: ["ReadWriteOnce"], resources: { requests: { storage: "1Gi" } } },
      });
      const spec = {
        containers: [
          {
            name: "main",
            image: "postgres:18",
            env: [{ name: "POSTGRES_PASSWORD", value: "known-to-all" }],
            volumeMounts: [{ name: "data", mountPath: "/var/lib/postgresql" }],
          },
        ],
        volumes: [{ name: "data", persistentVolumeClaim: { claimName: "data" } }],
      };
      await cluster.call("POST", pods, { metadata: { name: "killed" }, spec });
      const name = `${faults}/killed/main`;
      await until(() => commandsOf(name).some((command) => command.includes("initdb")));
      await sleep(200);
      process.kill((await findPrograms(FOLDER)) ?? assert.fail(), "SIGKILL");
      for (const pid of processesOf(name)) kill(pid);
      await open();
      assert.equal((await statusOf(name))?.state, "ready");
      const { metadata } = (await cluster.call(
        "GET",
        `/api/v1/namespaces/${faults}/persistentvolumeclaims/data`,
      )) as KubernetesObject;
      const volume = join(FOLDER, "volumes", metadata.uid ?? "");
      assert.deepEqual(await readdir(join(volume, "18")), ["docker"]);

      await cluster.call("DELETE", `${pods}/killed`);
      await cluster.call("DELETE", `/api/v1/namespaces/${faults}/persistentvolumeclaims/data`);
      await until(() =>
        stat(volume).then(
          () => false,
          () => true,
        ),
      );
      assert.deepEqual(processesOf(name), []);
    });

    for (const [what, value, why] of [
      ["is not there", "/nonexistent/atticd", "there is no such file"],
      ["is a folder", FOLDER, "that is no file"],
      ["cannot be run", join(FOLDER, "passphrase"), "that cannot be run"],
    ] as const) {
      it(`are refused before anything starts where ATTICD ${what}`, async () => {
        const { ATTICD: named } = process.env;
        nameAtticd(value);
        try {
          await assert.rejects(openSandbox(FOLDER, new Progress(), { programs: true }), (error: Error) => {
            assert.ok(error instanceof UserError);
            const advice = "Set it to the path of an atticd, or to nothing for the stand-in.";
            assert.equal(error.message, `ATTICD is ${value}, and ${why}. ${advice}`);
            return true;
          });
        } finally {
          nameAtticd(named);
        }
      });
    }
  });

  describe("of every kind of stack", () => {
    const kinds: { what: string; settings: Overrides; check: () => Promise<void> }[] = [
      {
        what: "a database and a bucket elsewhere, which are played too, with three servers",
        settings: {
          server: { replicas: 3 },
          database: { kind: "existing" },
          storage: { kind: "existing", bucket: "elsewhere", region: "eu-central-1" },
        },
        check: async () => {
          const { programs = [] } = (await readStatus(programsFolder(FOLDER))) ?? {};
          const servers = programs.filter(({ name }) => name.endsWith("/api-server"));
          assert.equal(servers.length, 3);
          for (const { port } of servers) assert.equal(await get(`127.0.0.1:${port}`), 200);
          const outside = programs.filter(({ uid }) => uid === "").map(({ name, kind }) => `${kind} ${name}`);
          assert.deepEqual(outside.sort(), [
            "postgres outside.postgres.sandbox.example-5432",
            "s3 outside.s3.eu-central-1.amazonaws.com-443",
          ]);
          const folder = join(FOLDER, "volumes/outside.s3.eu-central-1.amazonaws.com-443/objects");
          assert.deepEqual(await readdir(folder), ["elsewhere"]);
        },
      },
      {
        what: "MinIO, whose bucket a Job makes, behind nginx",
        settings: {
          storage: { kind: "minio", host: "s3.lab.example.com" },
          gateway: {
            kind: "nginx",
            host: "cache.lab.example.com",
            tls: { kind: "cert-manager", issuer: "lab" },
          },
        },
        check: async () => {
          const { Buckets = [] } = await (await store(undefined, "us-east-1")).send(new ListBucketsCommand());
          assert.deepEqual(
            Buckets.map(({ Name }) => Name),
            ["attic"],
          );
          assert.equal((await program(/\/bucket$/)).state, "ended");
        },
      },
      {
        what: "a plain volume behind Traefik, with server and collector in one pod",
        settings: {
          storage: { kind: "volume" },
          gateway: {
            kind: "traefik",
            host: "cache.lab.example.com",
            tls: { kind: "cert-manager", issuer: "lab" },
          },
        },
        check: async () => {
          const [server, collector] = [await program(/\/api-server$/), await program(/\/garbage-collector$/)];
          assert.equal(server.uid, collector.uid);
          const toml = await readFile(join(programsFolder(FOLDER), server.name, "server.toml"), "utf8");
          const { path } = (parse(toml) as { storage: { path: string } }).storage;
          assert.equal(relative(join(FOLDER, "volumes"), path).split("/").length, 1);
          assert.equal((await stat(path)).isDirectory(), true);
        },
      },
    ];
    for (const { what, settings, check } of kinds) {
      it(`run a stack with ${what}`, async () => {
        await stack.destroy();
        await stack.configure({ ...PLAIN, ...settings });
        await stack.up();
        addresses = await untilAnswers(sandbox, new Progress());
        assert.equal(await get(attic()), 200);
        await check();
      });
    }

    it("are gone with the stack, and so is all that was in its volumes", async () => {
      const claims = (await cluster.objects(NAMESPACE))
        .filter(({ kind }) => kind === "PersistentVolumeClaim")
        .map(({ metadata }) => metadata.uid ?? "");
      assert.equal(claims.length, 2);
      for (const claim of claims) assert.equal(await isThere(join(FOLDER, "volumes", claim)), true);
      await stack.destroy();
      await until(() => !marked().some((name) => name.startsWith(`${NAMESPACE}/`)));
      for (const claim of claims) await until(async () => !(await isThere(join(FOLDER, "volumes", claim))));
      const { items } = (await cluster.call("GET", "/apis/kwok.x-k8s.io/v1alpha1/clusterportforwards")) as {
        items: KubernetesObject[];
      };
      assert.deepEqual(
        items.map(({ metadata }) => metadata.name).filter((name) => name.startsWith(NAMESPACE)),
        [],
      );
    });
  });

  async function statusOf(name: string): Promise<ProgramStatus | undefined> {
    return (await readStatus(programsFolder(FOLDER)))?.programs.find((each) => each.name === name);
  }
});

function atticPod(mode: string, secret: string) {
  const toml =
    '[database]\n[storage]\ntype = "local"\npath = "/tmp"\n[chunking]\nnar-size-threshold = 0\nmin-size = 1\navg-size = 2\nmax-size = 3\n';
  return {
    containers: [
      {
        name: "attic",
        image: "example.org/attic:changed",
        args: ["--mode", mode],
        env: [{ name: "ATTIC_SERVER_CONFIG_BASE64", value: Buffer.from(toml).toString("base64") }],
        envFrom: [{ secretRef: { name: secret } }],
      },
    ],
  };
}

/** Without the prototypes that a parser gives its objects, or does not. */
function plain(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value));
}

/** The names of the programs that run, as their processes bear them, without the daemon's own. */
function marked(): string[] {
  return processes()
    .filter(({ environment }) => environment.includes(`${MARK.folder}=${programsFolder(FOLDER)}\0`))
    .flatMap(
      ({ environment }) => environment.split("\0").find((line) => line.startsWith(`${MARK.name}=`)) ?? [],
    )
    .map((line) => line.slice(MARK.name.length + 1))
    .filter((name) => name !== "programs");
}

function ownProcesses(name: string) {
  return processes().filter(
    ({ environment }) =>
      environment.includes(`${MARK.name}=${name}\0`) || environment.endsWith(`${MARK.name}=${name}`),
  );
}

function processesOf(name: string): number[] {
  return ownProcesses(name).map(({ pid }) => pid);
}

function commandsOf(name: string): string[] {
  return ownProcesses(name).map(({ command }) => command);
}

/** The variables for a signing key that a program runs with. */
function signingKeys(name: string): string[] {
  const [{ environment } = assert.fail()] = ownProcesses(name);
  return environment.split("\0").flatMap((line) => /^(ATTIC_SERVER_TOKEN_\w+)=/.exec(line)?.[1] ?? []);
}

function kill(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // It has ended meanwhile.
  }
}

/** Sets the variable by which a person asks for a real server. */
function nameAtticd(path: string | undefined): void {
  if (path === undefined) delete process.env.ATTICD;
  else process.env.ATTICD = path;
}

async function isThere(path: string): Promise<boolean> {
  return await stat(path).then(
    () => true,
    () => false,
  );
}

/** Waits until a program runs as another process. */
async function replaced(name: string, before: number): Promise<void> {
  await until(() => {
    const pids = processesOf(name);
    return pids.length > 0 && !pids.includes(before);
  });
}

async function until(check: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await check())) await sleep(50);
}

/** The status of an answer to a GET of "/". */
async function get(address: string, host = address): Promise<number> {
  return await new Promise((resolve, reject) => {
    const [hostname, port] = address.split(":");
    request({ hostname, port, path: "/", headers: { host }, agent: false }, (response) => {
      response.resume();
      resolve(response.statusCode ?? 0);
    })
      .on("error", reject)
      .end();
  });
}

async function answers(address: string): Promise<boolean> {
  return await get(address).then(
    (status) => status === 200,
    () => false,
  );
}

/** With this a client of PostgreSQL asks for TLS; "S" is yes. See "SSLRequest" in its manual. */
const SSL_REQUEST = Buffer.from([0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x2f]);
const HTTP_REQUEST = Buffer.from(
  "GET / HTTP/1.1\r\nHost: cache.lab.example.com\r\nConnection: close\r\n\r\n",
);

/** What comes first through a port-forward, after something was sent. */
async function forwarded(sandbox: Sandbox, pod: string, port: number, sent = HTTP_REQUEST): Promise<string> {
  const config = new KubeConfig();
  config.loadFromFile(sandbox.controlPlane.kubeconfig);
  const [from, to] = [new PassThrough(), new PassThrough()];
  const answer = new Promise<string>((resolve) => {
    from.once("data", (data: Buffer) => {
      resolve(data.toString());
    });
  });
  const socket = (await new PortForward(config).portForward(NAMESPACE, pod, [port], from, null, to)) as {
    close(): void;
  };
  to.write(sent);
  try {
    return await answer;
  } finally {
    socket.close();
  }
}
