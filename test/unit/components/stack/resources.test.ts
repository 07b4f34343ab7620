import assert from "node:assert/strict";
import { deployStack, everyKind, type Kinds, nameOf, stackOf } from "../../../support/kinds.ts";
import { content, type Content } from "../../../support/stack-files.ts";

/** Type, without the package where it is Kubernetes', and name. */
const platform = [
  "attic-stack:platform:Platform attic",
  "Namespace attic-namespace",
  "NetworkPolicy attic-default-deny",
];

const contents = ["attic-stack:attic:Caches attic", "pulumi:providers:attic attic-provider"];

const database: Record<Kinds["database"], string[]> = {
  postgres: [
    "attic-stack:database:Postgres attic-postgres",
    "random:index/randomPassword:RandomPassword attic-postgres-password",
    "tls:index/selfSignedCert:SelfSignedCert attic-postgres-tls",
    "tls:index/privateKey:PrivateKey attic-postgres-tls-key",
    "Secret attic-postgres-password",
    "Secret attic-postgres-tls",
    "ConfigMap attic-postgres-config",
    "PersistentVolumeClaim attic-postgres-data",
    "Service attic-postgres",
    "NetworkPolicy attic-postgres",
    "NetworkPolicy attic-postgres-clients",
    "StatefulSet attic-postgres",
    "ConfigMap attic-database-ca",
  ],
  existing: ["attic-stack:database:ExistingDatabase attic-database", "NetworkPolicy attic-database-clients"],
};

const garage = [
  "attic-stack:storage:Garage attic-garage",
  "random:index/randomId:RandomId attic-garage-access-key-id",
  "random:index/randomPassword:RandomPassword attic-garage-secret-access-key",
  "random:index/randomPassword:RandomPassword attic-garage-rpc-secret",
  "random:index/randomPassword:RandomPassword attic-garage-admin-token",
  "Secret attic-garage-keys",
  "ConfigMap attic-garage-config",
  "PersistentVolumeClaim attic-garage-data",
  "PersistentVolumeClaim attic-garage-metadata",
  "Service attic-garage",
  "NetworkPolicy attic-garage",
  "NetworkPolicy attic-garage-clients",
  "StatefulSet attic-garage",
];
const minio = [
  "attic-stack:storage:Minio attic-minio",
  "random:index/randomId:RandomId attic-minio-root-user",
  "random:index/randomPassword:RandomPassword attic-minio-root-password",
  "Secret attic-minio-keys",
  "PersistentVolumeClaim attic-minio-data",
  "Service attic-minio",
  "NetworkPolicy attic-minio",
  "NetworkPolicy attic-minio-clients",
  "StatefulSet attic-minio",
  "Job attic-minio-bucket",
];
const store: Record<Kinds["store"], string[]> = {
  garage,
  "garage behind an edge": garage,
  minio,
  "minio behind an edge": minio,
  existing: ["attic-stack:storage:ExistingStore attic-storage", "NetworkPolicy attic-storage-clients"],
  volume: ["attic-stack:storage:Volume attic-storage", "PersistentVolumeClaim attic-storage-data"],
};

const server = [
  "attic-stack:server:AtticServer attic",
  "tls:index/privateKey:PrivateKey attic-signing-key-rsa",
  "Secret attic-environment",
  "ConfigMap attic-config",
  "Job attic-migrations",
  "Service attic",
];
const workloads = (kind: Kinds["store"]): string[] =>
  kind === "volume" ? ["StatefulSet attic"] : ["Deployment attic", "StatefulSet attic-collector"];

const isPublished = (kind: Kinds["store"]): boolean => kind === "garage" || kind === "minio";

/** What a gateway makes once for itself, and once for each host. */
const gateway: Record<Kinds["gateway"], [own: string[], each: string]> = {
  "gateway-api": [
    [
      "attic-stack:gateway:GatewayApi attic-gateway",
      "Gateway attic-gateway",
      "HTTPRoute attic-gateway-redirect",
      "Certificate attic-gateway-tls",
      "NetworkPolicy attic-gateway-tls-solver",
    ],
    "HTTPRoute",
  ],
  "gateway-api on a shared Gateway": [["attic-stack:gateway:GatewayApi attic-gateway"], "HTTPRoute"],
  traefik: [["attic-stack:gateway:Traefik attic-gateway"], "Ingress"],
  nginx: [
    [
      "attic-stack:gateway:Nginx attic-gateway",
      "Certificate attic-gateway-tls",
      "NetworkPolicy attic-gateway-tls-solver",
    ],
    "Ingress",
  ],
};

function gatewayOf(kinds: Kinds): string[] {
  const [own, each] = gateway[kinds.gateway];
  const hosts = ["api", ...(isPublished(kinds.store) ? ["store"] : [])];
  return [
    ...own,
    ...hosts.flatMap((name) => [`${each} attic-gateway-${name}`, `NetworkPolicy attic-gateway-${name}`]),
  ];
}

async function made(kinds: Partial<Kinds>, over: Content = {}): Promise<string[]> {
  const { resources } = await stackOf(kinds, over);
  return resources
    .map(({ type, name }) => `${type.replace(/^kubernetes:.*:/, "")} ${name}`)
    .sort((a, b) => a.localeCompare(b));
}
const sorted = (list: string[]) => list.sort((a, b) => a.localeCompare(b));

describe("the resources of a stack", () => {
  for (const kinds of everyKind) {
    it(`are these and no others: ${nameOf(kinds)}`, async () => {
      const wanted = [
        ...platform,
        ...database[kinds.database],
        ...store[kinds.store],
        ...server,
        ...workloads(kinds.store),
        ...gatewayOf(kinds),
        ...contents,
      ];
      assert.deepEqual(await made(kinds), sorted(wanted));
    });
  }

  const SMALLEST = {};
  const added: [what: string, over: Content, removed: string[], more: string[]][] = [
    ["a second server", { server: { replicas: 2 } }, [], ["PodDisruptionBudget attic"]],
    [
      "HS256",
      { server: { signingAlgorithm: "HS256" } },
      ["tls:index/privateKey:PrivateKey attic-signing-key-rsa"],
      ["random:index/randomPassword:RandomPassword attic-signing-key-hmac"],
    ],
    [
      "a CA for the store's host",
      {
        storage: {
          kind: "garage",
          host: "s3.example.com",
          caBundle: "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n",
        },
      },
      [],
      ["ConfigMap attic-store-ca"],
    ],
  ];
  for (const [what, over, removed, more] of added) {
    it(`differ by these where there is ${what}`, async () => {
      const before = await made(SMALLEST);
      assert.deepEqual(
        await made(SMALLEST, over),
        sorted([...before.filter((one) => !removed.includes(one)), ...more]),
      );
    });
  }

  it("have the same names whatever the stack is called, and its name in their labels", async () => {
    const { resources } = await deployStack(content(), "home");
    const labels = resources
      .filter(({ type }) => type.startsWith("kubernetes:"))
      .map(({ inputs }) => (inputs.metadata as { labels: Record<string, string> }).labels);
    assert.ok(labels.length > 20);
    for (const one of labels) assert.equal(one["app.kubernetes.io/instance"], "home");
  });
});

describe("the parents of a stack's resources", () => {
  it("are components, and only components have none", async () => {
    for (const kinds of everyKind) {
      const { resources } = await stackOf(kinds);
      const components = new Map(
        resources.filter(({ type }) => type.startsWith("attic-stack:")).map(({ urn, name }) => [urn, name]),
      );
      for (const { type, name, parent } of resources) {
        if (parent === "") assert.match(type, /^attic-stack:/, name);
        else assert.ok(name.startsWith(components.get(parent)!), `${name} in ${parent}`);
      }
    }
  });
});
