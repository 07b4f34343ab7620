import assert from "node:assert/strict";
import { dataOf, find, type Policy, workloadsOf } from "../../../support/objects.ts";
import { stackOf } from "../../../support/kinds.ts";
import { valueOf } from "../../../support/mocks.ts";
import { CERTIFICATE, DATABASE_URL } from "../../../support/stack-files.ts";

const withCa = { database: { kind: "existing", caBundle: CERTIFICATE } };

function portsOf(resources: Parameters<typeof find>[0]): unknown[] {
  const policy = find(resources, "NetworkPolicy", "attic-database-clients").inputs as Policy;
  return policy.spec!.egress!.flatMap(({ ports = [] }) => ports);
}

describe("a database elsewhere", () => {
  it("is reached by the URL that is given, as it is", async () => {
    const { result, resources } = await stackOf({ database: "existing" });
    assert.deepEqual(await valueOf(result.databaseUrl), { value: DATABASE_URL, secret: true });
    assert.equal(dataOf(resources, "Secret", "attic-environment").ATTIC_SERVER_DATABASE_URL, DATABASE_URL);
  });

  it("is checked in full where there is a CA, which every pod of Attic has", async () => {
    const { result, resources } = await stackOf({ database: "existing" }, withCa);
    assert.deepEqual(await valueOf(result.databaseUrl), {
      value: `${DATABASE_URL}?sslmode=verify-full&sslrootcert=/etc/attic-database/ca.crt`,
      secret: true,
    });
    assert.deepEqual(dataOf(resources, "ConfigMap", "attic-database-ca"), { "ca.crt": CERTIFICATE });
    const attic = workloadsOf(resources).filter(({ resource }) => resource !== "attic-garage");
    assert.equal(attic.length, 3);
    for (const { resource, spec } of attic) {
      const mounts = spec.template.spec.containers!.flatMap(({ volumeMounts = [] }) => volumeMounts);
      const mount = mounts.find(({ name }) => name === "database-ca");
      assert.equal(mount?.mountPath, "/etc/attic-database", resource);
    }
  });

  it("is reached on the port of its URL", async () => {
    const { resources } = await stackOf({ database: "existing" });
    assert.deepEqual(portsOf(resources), [{ protocol: "TCP", port: 6432 }]);
  });

  it("is reached on PostgreSQL's port where its URL has none", async () => {
    const { resources } = await stackOf(
      { database: "existing" },
      { databaseUrl: "postgres://a:b@db.lan/attic" },
    );
    assert.deepEqual(portsOf(resources), [{ protocol: "TCP", port: 5432 }]);
  });
});
