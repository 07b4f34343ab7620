import assert from "node:assert/strict";
import { mkdtemp, readFile, rm, truncate, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { Api } from "../../sandbox/control-plane/api.ts";
import { startControlPlane, stopControlPlane, type ControlPlane } from "../../sandbox/control-plane/index.ts";
import { findDaemon, findProcesses } from "../../sandbox/support/daemon.ts";
import { Progress } from "../../sandbox/support/progress.ts";
import { UserError } from "../../sandbox/support/user-error.ts";
import { provideManifests, provideTools } from "../../sandbox/toolchain/index.ts";

const TOOLS = ["etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler", "kwok"] as const;

/** Two pods one after the other, each with a volume of its own. */
const set = {
  apiVersion: "apps/v1",
  kind: "StatefulSet",
  metadata: { name: "volumes" },
  spec: {
    replicas: 2,
    serviceName: "volumes",
    selector: { matchLabels: { app: "volumes" } },
    template: {
      metadata: { labels: { app: "volumes" } },
      spec: {
        containers: [
          { name: "main", image: "example.org/none", volumeMounts: [{ name: "data", mountPath: "/data" }] },
        ],
      },
    },
    volumeClaimTemplates: [
      {
        metadata: { name: "data" },
        spec: { accessModes: ["ReadWriteOnce"], resources: { requests: { storage: "5Gi" } } },
      },
    ],
    persistentVolumeClaimRetentionPolicy: { whenDeleted: "Delete" },
  },
};

interface Kubeconfig {
  clusters: [{ cluster: { server: string; "certificate-authority-data": string } }];
  users: [{ user: { token: string } }];
}

interface Status {
  readyReplicas?: number;
  conditions?: { status: string }[];
  loadBalancer?: { ingress?: unknown[] };
  parents?: { conditions: { status: string }[] }[];
}

/** Whether something outside has written into a status that it is well. */
function isPlayed({ conditions, loadBalancer, parents }: Status = {}): boolean {
  const all = [...(conditions ?? []), ...(parents ?? []).flatMap((parent) => parent.conditions)];
  const well = all.length > 0 && all.every(({ status }) => status === "True");
  return well || loadBalancer?.ingress?.length === 1;
}

const backend = { service: { name: "none", port: { number: 80 } } };
/** What is played, the address of its kind, and an example. */
const PLAYED = [
  [
    "a Service of type LoadBalancer",
    "/api/v1/namespaces/default/services",
    { spec: { type: "LoadBalancer", ports: [{ port: 80 }] } },
  ],
  [
    "an Ingress",
    "/apis/networking.k8s.io/v1/namespaces/default/ingresses",
    { spec: { ingressClassName: "nginx", defaultBackend: backend } },
  ],
  [
    "a Gateway",
    "/apis/gateway.networking.k8s.io/v1/namespaces/default/gateways",
    {
      apiVersion: "gateway.networking.k8s.io/v1",
      kind: "Gateway",
      spec: { gatewayClassName: "eg", listeners: [{ name: "http", port: 80, protocol: "HTTP" }] },
    },
  ],
  [
    "an HTTPRoute",
    "/apis/gateway.networking.k8s.io/v1/namespaces/default/httproutes",
    {
      apiVersion: "gateway.networking.k8s.io/v1",
      kind: "HTTPRoute",
      spec: { parentRefs: [{ name: "any" }], rules: [{ backendRefs: [{ name: "none", port: 80 }] }] },
    },
  ],
  [
    "a Certificate",
    "/apis/cert-manager.io/v1/namespaces/default/certificates",
    {
      apiVersion: "cert-manager.io/v1",
      kind: "Certificate",
      spec: { secretName: "none", dnsNames: ["example.org"], issuerRef: { name: "none" } },
    },
  ],
  [
    "a PostgreSQL Cluster",
    "/apis/postgresql.cnpg.io/v1/namespaces/default/clusters",
    {
      apiVersion: "postgresql.cnpg.io/v1",
      kind: "Cluster",
      spec: { instances: 1, storage: { size: "1Gi" } },
    },
  ],
] as const;

/** Of what the API server answers, what is looked at here. */
interface Answer {
  data?: Record<string, string>;
  status?: Status;
  items?: { metadata: { labels?: Record<string, string> } }[];
}

describe("control plane", function () {
  let folder: string;
  let start: () => Promise<ControlPlane>;

  before(async function () {
    // Where nothing is cached yet the programs are downloaded or built.
    this.timeout(1_200_000);
    folder = await mkdtemp(join(tmpdir(), "attic-stack-control-plane-"));
    const progress = new Progress();
    const tools = await provideTools(TOOLS, progress);
    const manifests = await provideManifests(progress);
    start = () => startControlPlane({ folder, tools, manifests, progress });
  });

  after(async () => {
    await stopControlPlane(folder);
    await rm(folder, { recursive: true, force: true });
  });

  const pids = async () => Promise.all(TOOLS.map((name) => findDaemon(folder, name)));

  /** One call to the API server with what the kubeconfig says. */
  async function call(method: string, path: string, body?: object): Promise<Answer> {
    const { clusters, users } = JSON.parse(await readFile(join(folder, "kubeconfig"), "utf8")) as Kubeconfig;
    const { server, "certificate-authority-data": certificate } = clusters[0].cluster;
    const api = new Api(server, Buffer.from(certificate, "base64").toString(), users[0].user.token);
    try {
      return JSON.parse(await api.call(method, path, body && JSON.stringify(body))) as Answer;
    } finally {
      api.close();
    }
  }

  /** Deploys pods with volumes, sees them ready, removes them, and sees their volumes go. */
  async function deploys(): Promise<void> {
    const sets = "/apis/apps/v1/namespaces/default/statefulsets";
    await call("POST", sets, set);
    await until(async () => (await call("GET", `${sets}/volumes`)).status?.readyReplicas === 2);
    await call("DELETE", `${sets}/volumes`);
    for (const path of ["/api/v1/namespaces/default/pods", "/api/v1/persistentvolumes"]) {
      await until(async () => (await call("GET", path)).items?.length === 0);
    }
  }

  it("starts from nothing, and pods with volumes become ready", async () => {
    const { kubeconfig, server } = await start();
    assert.equal(kubeconfig, join(folder, "kubeconfig"));
    assert.match(server, /^https:\/\/127\.0\.0\.1:\d+$/u);
    await deploys();
  });

  it("has two ready nodes in two zones", async () => {
    const { items } = await call("GET", "/api/v1/nodes");
    const zones = items?.map(({ metadata }) => metadata.labels?.["topology.kubernetes.io/zone"]);
    assert.deepEqual(zones, ["sandbox-a", "sandbox-b"]);
  });

  it("refuses a field that Kubernetes does not know, where strict validation is asked for", async () => {
    const path = "/api/v1/namespaces/default/configmaps?fieldValidation=Strict";
    const unknown = call("POST", path, { metadata: { name: "unknown" }, dataa: {} });
    await assert.rejects(unknown, /400 .*strict decoding error: unknown field \\"dataa\\"/u);
  });

  for (const [what, path, body] of PLAYED) {
    it(`plays the controller of ${what}, so that it can be waited for`, async () => {
      await call("POST", path, { metadata: { name: "played", namespace: "default" }, ...body });
      await until(async () => isPlayed((await call("GET", `${path}/played`)).status));
      await call("DELETE", `${path}/played`);
    });
  }

  it("is left as it is by a second start", async () => {
    const [first, before] = [await start(), await pids()];
    const ready = await readFile(join(folder, "ready.json"), "utf8");
    assert.deepEqual(await start(), first);
    assert.deepEqual(await pids(), before);
    assert.equal(await readFile(join(folder, "ready.json"), "utf8"), ready);
  });

  for (const name of TOOLS) {
    it(`works again after a kill of ${name} and a start`, async () => {
      const before = await pids();
      process.kill(before[TOOLS.indexOf(name)] ?? assert.fail(), "SIGKILL");
      await until(async () => (await findDaemon(folder, name)) === undefined);
      await start();
      const after = await pids();
      assert.equal(after.includes(undefined), false);
      // Above etcd and the API server everything starts anew; above the others there is nothing.
      if (TOOLS.indexOf(name) < 2) assert.notDeepEqual(after, before);
      else assert.equal(after.filter((pid, index) => pid !== before[index]).length, 1);
      await deploys();
    });
  }

  it("is started once by two at the same time", async () => {
    await stopControlPlane(folder);
    const [one, other] = await Promise.all([start(), start()]);
    assert.deepEqual(one, other);
    assert.equal((await findProcesses(folder)).length, TOOLS.length);
  });

  it("leaves no process when it is stopped, and keeps its state for the next start", async () => {
    const path = "/api/v1/namespaces/default/configmaps";
    await call("POST", path, { metadata: { name: "kept" }, data: { a: "b" } });
    assert.equal(await stopControlPlane(folder), TOOLS.length);
    assert.deepEqual(await findProcesses(folder), []);
    assert.equal(await stopControlPlane(folder), 0);
    await start();
    const { data } = await call("GET", `${path}/kept`);
    assert.deepEqual(data, { a: "b" });
    await deploys();
  });

  it("finds its processes where a killed start left no note of them", async () => {
    const before = await pids();
    for (const name of TOOLS) await rm(join(folder, `${name}.pid`));
    await rm(join(folder, "ready.json"));
    await start();
    assert.deepEqual(await pids(), before);
  });

  it("does not take another process for its own, whose id stands in an old note", async () => {
    await stopControlPlane(folder);
    await writeFile(join(folder, "etcd.pid"), `${process.pid}\n`);
    await start();
    assert.notEqual(await findDaemon(folder, "etcd"), process.pid);
  });

  it("makes its certificate again where a kill left half of one", async () => {
    await stopControlPlane(folder);
    await truncate(join(folder, "certificates/apiserver.crt"), 1_000);
    await start();
    await deploys();
  });

  describe("whose port is taken by another program", () => {
    let port: number;
    const other = createServer();

    beforeEach(async () => {
      const { server } = await start();
      port = Number(new URL(server).port);
      await stopControlPlane(folder);
      await new Promise<void>((resolve) => other.listen(port, "127.0.0.1", resolve));
    });

    afterEach(async () => {
      await new Promise((resolve) => other.close(resolve));
    });

    it("takes another port, and says so in the kubeconfig", async () => {
      const { server } = await start();
      assert.notEqual(server, `https://127.0.0.1:${port}`);
      await deploys();
    });

    it("names the port and the program where that very port was asked for", async () => {
      process.env.SANDBOX_KUBERNETES_PORT = String(port);
      try {
        await assert.rejects(start(), (error: Error) => {
          assert.ok(error instanceof UserError);
          const who = new RegExp(
            `^Port ${port} on 127\\.0\\.0\\.1, which SANDBOX_KUBERNETES_PORT asks for, is taken by .* \\(process ${process.pid}\\): end that`,
            "u",
          );
          assert.match(error.message, who);
          return true;
        });
      } finally {
        delete process.env.SANDBOX_KUBERNETES_PORT;
      }
      assert.deepEqual(await findProcesses(folder), []);
    });
  });
});

async function until(check: () => Promise<boolean>): Promise<void> {
  while (!(await check())) await sleep(50);
}
