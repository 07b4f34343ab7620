import assert from "node:assert/strict";
import { dataOf, find, type Policy, workloadsOf } from "../../../support/objects.ts";
import { type Kinds, stackOf } from "../../../support/kinds.ts";
import { tomlOf } from "../../../support/values.ts";
import { BUCKET, CERTIFICATE, STORE_SECRETS } from "../../../support/stack-files.ts";

async function storageOf(store: Kinds["store"], over = {}): Promise<unknown> {
  const { resources } = await stackOf({ store }, over);
  return tomlOf(dataOf(resources, "ConfigMap", "attic-config")["server.toml"]!).storage;
}

describe("the one address of a store", () => {
  const cases: [Kinds["store"], object][] = [
    ["garage", { type: "s3", bucket: "attic", region: "garage", endpoint: "https://s3.example.com" }],
    [
      "garage behind an edge",
      { type: "s3", bucket: "attic", region: "garage", endpoint: "http://attic-garage.attic.svc:3900" },
    ],
    ["minio", { type: "s3", bucket: "attic", region: "us-east-1", endpoint: "https://s3.example.com" }],
    [
      "minio behind an edge",
      { type: "s3", bucket: "attic", region: "us-east-1", endpoint: "http://attic-minio.attic.svc:9000" },
    ],
    ["existing", { type: "s3", bucket: "nix-cache", region: "eu-central-1" }],
    ["volume", { type: "local", path: "/var/lib/attic" }],
  ];
  for (const [store, wanted] of cases) {
    it(`is what Attic is told, because it redirects clients to it: ${store}`, async () => {
      assert.deepEqual(await storageOf(store), wanted);
    });
  }

  it("is that of an S3 server elsewhere, without a slash", async () => {
    const storage = { ...BUCKET, endpoint: "https://ceph.example.com:7480/" };
    assert.deepEqual(await storageOf("existing", { storage }), {
      type: "s3",
      bucket: "nix-cache",
      region: "eu-central-1",
      endpoint: "https://ceph.example.com:7480",
    });
  });
});

describe("a bucket elsewhere", () => {
  const port = async (endpoint?: string) => {
    const { resources } = await stackOf({ store: "existing" }, { storage: { ...BUCKET, endpoint } });
    const policy = find(resources, "NetworkPolicy", "attic-storage-clients").inputs as Policy;
    return policy.spec!.egress!.map(({ ports }) => ports);
  };

  it("is reached on the port of its address", async () => {
    assert.deepEqual(await port(), [[{ protocol: "TCP", port: 443 }]]);
    assert.deepEqual(await port("https://s3.example.com"), [[{ protocol: "TCP", port: 443 }]]);
    assert.deepEqual(await port("http://ceph.lan"), [[{ protocol: "TCP", port: 80 }]]);
    assert.deepEqual(await port("http://ceph.lan:7480/"), [[{ protocol: "TCP", port: 7480 }]]);
  });

  it("is used with the keys that are given", async () => {
    const { resources } = await stackOf({ store: "existing" });
    const attic = dataOf(resources, "Secret", "attic-environment");
    assert.equal(attic.AWS_ACCESS_KEY_ID, STORE_SECRETS.storageAccessKeyId);
    assert.equal(attic.AWS_SECRET_ACCESS_KEY, STORE_SECRETS.storageSecretAccessKey);
  });
});

describe("a CA for the store", () => {
  for (const [store, storage] of [
    ["garage", { kind: "garage", host: "s3.example.com", caBundle: CERTIFICATE }],
    ["minio", { kind: "minio", host: "s3.example.com", caBundle: CERTIFICATE }],
    ["existing", { ...BUCKET, endpoint: "https://ceph.lan", caBundle: CERTIFICATE }],
  ] as const) {
    it(`is trusted by every pod that uses it: ${store}`, async () => {
      const { resources } = await stackOf({ store }, { storage });
      assert.deepEqual(dataOf(resources, "ConfigMap", "attic-store-ca"), { "ca.crt": CERTIFICATE });
      const trusting = workloadsOf(resources).filter(({ spec }) =>
        spec.template.spec.containers!.some(({ env = [] }) =>
          env.some(({ name, value }) => name === "SSL_CERT_FILE" && value === "/etc/attic-store/ca.crt"),
        ),
      );
      assert.deepEqual(trusting.map(({ resource }) => resource).sort(), ["attic", "attic-collector"]);
      for (const { spec } of trusting) {
        const mounts = spec.template.spec.containers![0]!.volumeMounts!;
        assert.equal(mounts.find(({ name }) => name === "store-ca")?.mountPath, "/etc/attic-store");
      }
    });
  }
});

describe("a volume", () => {
  it("is one claim, which one pod alone mounts, with server and collector in it", async () => {
    const { resources } = await stackOf({ store: "volume" });
    const users = workloadsOf(resources).filter(({ spec }) =>
      spec.template.spec.volumes!.some(
        ({ persistentVolumeClaim }) => persistentVolumeClaim?.claimName === "attic-storage-data",
      ),
    );
    assert.deepEqual(
      users.map(({ kind, resource }) => [kind, resource]),
      [["StatefulSet", "attic"]],
    );
    const { spec } = users[0]!;
    assert.equal(spec.replicas, 1);
    assert.deepEqual(
      spec.template.spec.containers!.map(({ name, volumeMounts = [] }) => [
        name,
        volumeMounts.find((mount) => mount.name === "store")?.mountPath,
      ]),
      [
        ["api-server", "/var/lib/attic"],
        ["garbage-collector", "/var/lib/attic"],
      ],
    );
  });

  it("gives Attic no key and no region of any S3", async () => {
    const { resources } = await stackOf({ store: "volume" });
    assert.deepEqual(Object.keys(dataOf(resources, "Secret", "attic-environment")).sort(), [
      "ATTIC_SERVER_DATABASE_URL",
      "ATTIC_SERVER_TOKEN_RS256_SECRET_BASE64",
    ]);
    for (const { spec } of workloadsOf(resources))
      for (const { env = [] } of spec.template.spec.containers!)
        assert.deepEqual(
          env.filter(({ name }) => name!.startsWith("AWS_")),
          [],
        );
  });
});
