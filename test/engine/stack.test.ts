import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import { ApiError } from "../../sandbox/control-plane/api.ts";
import { Cluster, isMadeByUs, type KubernetesObject } from "../support/cluster.ts";
import { LAB_RESOURCES } from "../support/lab.ts";
import { type Overrides, TestStack } from "../support/sandbox.ts";

const NAMESPACE = "stack-test";

const tls = { kind: "cert-manager", issuer: "lab" };
const server = {
  garbageCollection: { interval: "6h" },
  replicas: 3,
  image: "ghcr.io/zhaofengli/attic:0123456789abcdef0123456789abcdef01234567",
  signingAlgorithm: "HS256",
};

/** One change after the other, each to what the ones before it left, with all that it may touch. */
const CHANGES: readonly { what: string; settings: Overrides; steps: readonly string[] }[] = [
  {
    what: "another interval of the collector makes a new configuration, rolls the servers and does not migrate",
    settings: { server: pick("garbageCollection") },
    steps: [
      "replace kubernetes:core/v1:ConfigMap attic-config",
      "update kubernetes:apps/v1:Deployment attic",
      "update kubernetes:apps/v1:StatefulSet attic-collector",
    ],
  },
  {
    what: "three servers instead of one come with a disruption budget",
    settings: { server: pick("garbageCollection", "replicas") },
    steps: [
      "create kubernetes:policy/v1:PodDisruptionBudget attic",
      "update kubernetes:apps/v1:Deployment attic",
    ],
  },
  {
    what: "another image of the server migrates once more and rolls the servers",
    settings: { server: pick("garbageCollection", "replicas", "image") },
    steps: [
      "replace kubernetes:batch/v1:Job attic-migrations",
      "update kubernetes:apps/v1:Deployment attic",
      "update kubernetes:apps/v1:StatefulSet attic-collector",
    ],
  },
  {
    what: "more room for the database grows its volume in place",
    settings: { database: { kind: "postgres", size: "20Gi" } },
    steps: ["update kubernetes:core/v1:PersistentVolumeClaim attic-postgres-data"],
  },
  {
    what: "a storage class that is named for volumes which are there leaves them and what is in them",
    settings: {
      database: { kind: "postgres", size: "20Gi", storageClass: "fast" },
      storage: { kind: "garage", host: "s3.lab.example.com", size: "100Gi", storageClass: "fast" },
    },
    steps: [],
  },
  {
    what: "another signing algorithm makes another key and keeps everything else",
    settings: { server: pick("garbageCollection", "replicas", "image", "signingAlgorithm") },
    steps: [
      "create random:index/randomPassword:RandomPassword attic-signing-key-hmac",
      "delete tls:index/privateKey:PrivateKey attic-signing-key-rsa",
      "replace kubernetes:batch/v1:Job attic-migrations",
      "replace kubernetes:core/v1:Secret attic-environment",
      "update attic:index:AccessToken attic-token-ci",
      "update attic:index:AccessToken attic-token-reader",
      "update kubernetes:apps/v1:Deployment attic",
      "update kubernetes:apps/v1:StatefulSet attic-collector",
      "update pulumi:providers:attic attic-provider",
    ],
  },
  {
    what: "another host of the store is published, certified and told to the servers",
    settings: { storage: { kind: "garage", host: "objects.lab.example.com", size: "100Gi" } },
    steps: [
      "replace kubernetes:core/v1:ConfigMap attic-config",
      "update kubernetes:apps/v1:Deployment attic",
      "update kubernetes:apps/v1:StatefulSet attic-collector",
      "update kubernetes:cert-manager.io/v1:Certificate attic-gateway-tls",
      "update kubernetes:gateway.networking.k8s.io/v1:Gateway attic-gateway",
      "update kubernetes:gateway.networking.k8s.io/v1:HTTPRoute attic-gateway-redirect",
      "update kubernetes:gateway.networking.k8s.io/v1:HTTPRoute attic-gateway-store",
    ],
  },
  {
    what: "another kind of gateway keeps the certificate and lets another controller in",
    settings: { gateway: { kind: "nginx", host: "cache.lab.example.com", tls } },
    steps: [
      "create kubernetes:networking.k8s.io/v1:Ingress attic-gateway-api",
      "create kubernetes:networking.k8s.io/v1:Ingress attic-gateway-store",
      "delete kubernetes:gateway.networking.k8s.io/v1:Gateway attic-gateway",
      "delete kubernetes:gateway.networking.k8s.io/v1:HTTPRoute attic-gateway-api",
      "delete kubernetes:gateway.networking.k8s.io/v1:HTTPRoute attic-gateway-redirect",
      "delete kubernetes:gateway.networking.k8s.io/v1:HTTPRoute attic-gateway-store",
      "update kubernetes:networking.k8s.io/v1:NetworkPolicy attic-garage-clients",
      "update kubernetes:networking.k8s.io/v1:NetworkPolicy attic-gateway-api",
      "update kubernetes:networking.k8s.io/v1:NetworkPolicy attic-gateway-store",
      "update kubernetes:networking.k8s.io/v1:NetworkPolicy attic-gateway-tls-solver",
    ],
  },
];

function pick(...keys: (keyof typeof server)[]): Overrides {
  return Object.fromEntries(keys.map((key) => [key, server[key]]));
}

describe("the stack in the sandbox", function () {
  let stack: TestStack;
  let cluster: Cluster;
  let settings: Overrides = { namespace: NAMESPACE };

  before(async function () {
    this.timeout(1_200_000);
    stack = await TestStack.open("stack", settings);
    cluster = await Cluster.of(stack.sandbox);
  });

  after(() => {
    cluster.close();
  });

  it("is created with exactly the resources of its settings", async () => {
    const { steps } = await stack.up();
    const counts: Record<string, number> = {};
    for (const step of steps) {
      const [operation = "", type = ""] = step.split(" ");
      assert.equal(operation, "create", step);
      const isEngines = type === "pulumi:pulumi:Stack" || step.includes(" default_");
      if (!isEngines) counts[type] = (counts[type] ?? 0) + 1;
    }
    assert.deepEqual(counts, LAB_RESOURCES);
    const custom = (await stack.resources()).filter(({ type }) => type.startsWith("kubernetes:"));
    const made = (await cluster.objects(NAMESPACE)).filter(isMadeByUs);
    const inNamespace = custom.filter(({ type }) => !type.endsWith(":Namespace"));
    assert.deepEqual(
      made.map(({ metadata }) => metadata.name).sort(),
      inNamespace.map(({ id }) => id?.split("/").at(-1)).sort(),
    );
  });

  it("is left as it is by a second update", async () => {
    assert.deepEqual((await stack.up()).steps, []);
  });

  for (const { what, settings: change, steps } of CHANGES) {
    it(what, async () => {
      settings = { ...settings, ...change };
      await stack.configure(settings);
      const run = await stack.up();
      assert.deepEqual(run.steps, steps);
    });
  }

  it("has not drifted by itself, nor by what the cluster wrote into its objects", async () => {
    assert.deepEqual((await stack.refresh()).steps, []);
  });

  it("is put right by a refresh and an update where somebody changed or deleted its objects", async () => {
    const deployment = `/apis/apps/v1/namespaces/${NAMESPACE}/deployments/attic`;
    const policy = `/apis/networking.k8s.io/v1/namespaces/${NAMESPACE}/networkpolicies/default-deny`;
    const change = { spec: { replicas: 5 } };
    await cluster.call("PATCH", `${deployment}?fieldManager=kubectl`, change, "application/merge-patch+json");
    await cluster.call("DELETE", policy);
    assert.deepEqual((await stack.refresh()).steps, [
      "delete kubernetes:networking.k8s.io/v1:NetworkPolicy attic-default-deny",
      "update kubernetes:apps/v1:Deployment attic",
    ]);
    assert.deepEqual((await stack.up()).steps, [
      "create kubernetes:networking.k8s.io/v1:NetworkPolicy attic-default-deny",
      "update kubernetes:apps/v1:Deployment attic",
    ]);
    const { spec } = (await cluster.call("GET", deployment)) as { spec: { replicas: number } };
    assert.equal(spec.replicas, 3);
    await cluster.call("GET", policy);
  });

  it("keeps its data and the keys to it when it is destroyed though they are protected", async () => {
    await stack.configure({ ...settings, protectData: true });
    await stack.up();
    const caches = await stack.output("caches");
    const claims = await claimsOf(cluster);
    // The Automation API destroys without a preview, which would refuse before anything is touched.
    await assert.rejects(stack.destroy(), /cannot be deleted\s+because it is protected/);
    const left = (await stack.resources())
      .filter(({ custom }) => custom)
      .map(({ urn }) => urn.split("::").at(-1));
    for (const kept of ["attic-postgres-password", "attic-signing-key-hmac", "attic-cache-main"])
      assert.ok(left.includes(kept), kept);
    await stack.up();
    assert.deepEqual(await claimsOf(cluster), claims);
    assert.deepEqual(await stack.output("caches"), caches);
    // Which asks the server for its caches, and the server the database with its password.
    assert.deepEqual((await stack.refresh()).steps, []);
    await stack.configure(settings);
    await stack.up();
  });

  it("leaves nothing behind when it is destroyed", async () => {
    const before = await stack.resources();
    const { steps } = await stack.destroy();
    assert.deepEqual(steps, before.map(({ type, urn }) => `delete ${type} ${urn.split("::").at(-1)}`).sort());
    assert.deepEqual(await stack.resources(), []);
    await assert.rejects(cluster.call("GET", `/api/v1/namespaces/${NAMESPACE}`), isNotFound);
    assert.deepEqual(names(await cluster.objects(NAMESPACE)), []);
    // A volume belongs to no namespace, and goes a moment after its claim.
    while ((await cluster.objects()).some(isVolumeOfOurs)) await sleep(50);
  });

  function isVolumeOfOurs({ kind, spec }: KubernetesObject): boolean {
    const { claimRef } = (spec ?? {}) as { claimRef?: { namespace?: string } };
    return kind === "PersistentVolume" && claimRef?.namespace === NAMESPACE;
  }
});

/** The volume of each claim. */
async function claimsOf(cluster: Cluster): Promise<string[]> {
  const claims = (await cluster.objects(NAMESPACE)).filter(({ kind }) => kind === "PersistentVolumeClaim");
  return claims
    .map(({ metadata, spec }) => `${metadata.name} ${String((spec as { volumeName?: string }).volumeName)}`)
    .sort();
}

function isNotFound(error: unknown): boolean {
  return error instanceof ApiError && error.status === 404;
}

function names(objects: readonly KubernetesObject[]): string[] {
  return objects.map(({ kind, metadata }) => `${kind} ${metadata.name}`);
}
