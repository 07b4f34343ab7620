import assert from "node:assert/strict";
import { garageToml } from "../../../../components/storage/garage-pod.ts";
import { container, dataOf, find, type Service, variables, workload } from "../../../support/objects.ts";
import { stackOf } from "../../../support/kinds.ts";
import { tomlOf } from "../../../support/values.ts";

const pod = async (over = {}) => {
  const { resources } = await stackOf({ store: "garage" }, over);
  const { spec } = workload(resources, "StatefulSet", "attic-garage");
  return { resources, spec, garage: container(spec.template.spec, "garage") };
};

describe("garage.toml", () => {
  it("is that of a store of one node, with nothing secret in it", () => {
    assert.deepEqual(tomlOf(garageToml()), {
      metadata_dir: "/var/lib/garage/meta",
      data_dir: "/var/lib/garage/data",
      metadata_fsync: true,
      data_fsync: true,
      db_engine: "lmdb",
      metadata_auto_snapshot_interval: "6h",
      replication_factor: 1,
      rpc_bind_addr: "[::]:3901",
      rpc_public_addr: "127.0.0.1:3901",
      s3_api: { s3_region: "garage", api_bind_addr: "[::]:3900" },
      admin: { api_bind_addr: "[::]:3903" },
    });
  });
});

describe("Garage's pod", () => {
  it("is one, which lays itself out and makes its bucket and key", async () => {
    const { spec, garage } = await pod();
    assert.equal(spec.replicas, 1);
    assert.deepEqual(garage.command, ["/garage"]);
    assert.deepEqual(garage.args, ["server", "--single-node", "--default-bucket"]);
    assert.deepEqual(variables(garage), { GARAGE_DEFAULT_BUCKET: "attic" });
    assert.deepEqual(garage.envFrom, [{ secretRef: { name: "attic-garage-keys-auto" } }]);
  });

  it("makes the bucket that is set", async () => {
    const { garage } = await pod({ storage: { kind: "garage", host: "s3.example.com", bucket: "chunks" } });
    assert.equal(variables(garage).GARAGE_DEFAULT_BUCKET, "chunks");
  });

  it("has its configuration where Garage looks for it", async () => {
    const { garage } = await pod();
    const mounts = garage.volumeMounts!.map(({ name, mountPath }) => [name, mountPath]);
    assert.deepEqual(mounts, [
      ["config", "/etc/garage.toml"],
      ["data", "/var/lib/garage/data"],
      ["metadata", "/var/lib/garage/meta"],
      ["tmp", "/tmp"],
    ]);
  });

  it("is ready when it is healthy, and started again only where it does not answer at all", async () => {
    const { garage } = await pod();
    assert.deepEqual(garage.readinessProbe?.httpGet, { path: "/health", port: "admin" });
    assert.deepEqual(garage.startupProbe?.httpGet, { path: "/health", port: "admin" });
    assert.deepEqual(garage.livenessProbe?.tcpSocket, { port: "s3" });
    assert.deepEqual(
      garage.ports?.map(({ name, containerPort }) => [name, containerPort]),
      [
        ["s3", 3900],
        ["admin", 3903],
      ],
    );
  });

  it("has a volume for chunks and one for metadata, of the sizes and the class that are set", async () => {
    const storage = {
      kind: "garage",
      host: "s3.example.com",
      size: "2Ti",
      metadataSize: "20Gi",
      storageClass: "ssd",
    };
    const { resources } = await pod({ storage });
    const claims = ["attic-garage-data", "attic-garage-metadata"].map(
      (name) => find(resources, "PersistentVolumeClaim", name).inputs.spec,
    );
    assert.deepEqual(
      claims,
      ["2Ti", "20Gi"].map((size) => ({
        accessModes: ["ReadWriteOnce"],
        resources: { requests: { storage: size } },
        storageClassName: "ssd",
      })),
    );
  });
});

describe("Garage's keys", () => {
  it("have the form that it takes", async () => {
    const { resources } = await pod();
    const keys = dataOf(resources, "Secret", "attic-garage-keys");
    assert.match(keys.GARAGE_DEFAULT_ACCESS_KEY!, /^GK[0-9a-f]{24}$/);
    for (const name of ["GARAGE_DEFAULT_SECRET_KEY", "GARAGE_RPC_SECRET", "GARAGE_ADMIN_TOKEN"])
      assert.match(keys[name]!, /^[0-9a-f]{64}$/, name);
  });

  it("are those that Attic is given", async () => {
    const { resources } = await pod();
    const keys = dataOf(resources, "Secret", "attic-garage-keys");
    const attic = dataOf(resources, "Secret", "attic-environment");
    assert.equal(attic.AWS_ACCESS_KEY_ID, keys.GARAGE_DEFAULT_ACCESS_KEY);
    assert.equal(attic.AWS_SECRET_ACCESS_KEY, keys.GARAGE_DEFAULT_SECRET_KEY);
  });
});

describe("Garage's Service", () => {
  it("publishes S3 and neither RPC nor administration", async () => {
    const { resources } = await pod();
    const { spec } = find(resources, "Service", "attic-garage").inputs as Service;
    assert.deepEqual(spec!.ports, [{ name: "s3", port: 3900, targetPort: "s3", appProtocol: "http" }]);
    assert.equal(spec!.type, undefined);
  });
});
