import assert from "node:assert/strict";
import { container, dataOf, find, type Service, variables, workload } from "../../../support/objects.ts";
import { stackOf } from "../../../support/kinds.ts";

const stack = (over = {}) => stackOf({ store: "minio" }, over);

describe("MinIO's pod", () => {
  it("is one, with its root's credentials from the Secret", async () => {
    const { resources } = await stack();
    const { spec } = workload(resources, "StatefulSet", "attic-minio");
    const minio = container(spec.template.spec, "minio");
    assert.equal(spec.replicas, 1);
    assert.deepEqual(minio.args, ["server", "/data", "--address", ":9000"]);
    assert.deepEqual(variables(minio), { MINIO_BROWSER: "off", HOME: "/tmp" });
    assert.deepEqual(
      minio.env?.flatMap(({ name, valueFrom }) => (valueFrom ? [[name, valueFrom.secretKeyRef]] : [])),
      ["MINIO_ROOT_USER", "MINIO_ROOT_PASSWORD"].map((key) => [key, { name: "attic-minio-keys-auto", key }]),
    );
  });

  it("is asked for its health where MinIO answers it", async () => {
    const { resources } = await stack();
    const minio = container(workload(resources, "StatefulSet", "attic-minio").spec.template.spec, "minio");
    assert.deepEqual(minio.readinessProbe?.httpGet, { path: "/minio/health/ready", port: "s3" });
    assert.deepEqual(minio.startupProbe?.httpGet, { path: "/minio/health/ready", port: "s3" });
    assert.deepEqual(minio.livenessProbe?.httpGet, { path: "/minio/health/live", port: "s3" });
  });

  it("has no way to its console", async () => {
    const { resources } = await stack();
    const { spec } = find(resources, "Service", "attic-minio").inputs as Service;
    assert.deepEqual(spec!.ports, [{ name: "s3", port: 9000, targetPort: "s3", appProtocol: "http" }]);
  });
});

describe("MinIO's bucket", () => {
  it("is made by a Job of the same image, after the server and before Attic", async () => {
    const { resources } = await stack({
      storage: { kind: "minio", host: "s3.example.com", bucket: "chunks" },
    });
    const job = find(resources, "Job", "attic-minio-bucket");
    const { spec } = workload(resources, "Job", "attic-minio-bucket");
    const bucket = container(spec.template.spec, "bucket");
    assert.deepEqual(bucket.command, ["mcli", "mb", "--ignore-existing", "store/chunks"]);
    const server = find(resources, "StatefulSet", "attic-minio");
    const minio = container(workload(resources, "StatefulSet", "attic-minio").spec.template.spec, "minio");
    assert.equal(bucket.image, minio.image);
    assert.ok(job.dependencies.includes(server.urn));
    for (const [kind, name] of [
      ["Deployment", "attic"],
      ["StatefulSet", "attic-collector"],
    ] as const)
      assert.ok(find(resources, kind, name).dependencies.includes(job.urn), name);
  });

  it("is tried again where the server is not there yet", async () => {
    const { resources } = await stack();
    const { spec } = workload(resources, "Job", "attic-minio-bucket");
    assert.equal(spec.template.spec.restartPolicy, "OnFailure");
    assert.equal((spec as { backoffLimit?: number }).backoffLimit, 6);
  });
});

describe("MinIO's credentials", () => {
  it("are hexadecimal and those that Attic is given", async () => {
    const { resources } = await stack();
    const keys = dataOf(resources, "Secret", "attic-minio-keys");
    const attic = dataOf(resources, "Secret", "attic-environment");
    assert.match(keys.MINIO_ROOT_USER!, /^[0-9a-f]{20}$/);
    assert.match(keys.MINIO_ROOT_PASSWORD!, /^[0-9a-f]{40}$/);
    assert.equal(attic.AWS_ACCESS_KEY_ID, keys.MINIO_ROOT_USER);
    assert.equal(attic.AWS_SECRET_ACCESS_KEY, keys.MINIO_ROOT_PASSWORD);
  });
});
