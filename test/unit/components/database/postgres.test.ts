import assert from "node:assert/strict";
import fc from "fast-check";
import { HBA, postgresParameters } from "../../../../components/database/postgres-pod.ts";
import type { PostgresSettings } from "../../../../components/settings/database.ts";
import { container, dataOf, find, variables, workload } from "../../../support/objects.ts";
import { stackOf } from "../../../support/kinds.ts";
import { valueOf } from "../../../support/mocks.ts";
import { settingsOf } from "../../../support/stack-files.ts";

const settings = (over: object = {}): PostgresSettings =>
  settingsOf({ database: { kind: "postgres", ...over } }).database as PostgresSettings;

describe("PostgreSQL's parameters", () => {
  it("are these for one gibibyte and one server", () => {
    assert.deepEqual(postgresParameters(settings(), 1), {
      max_connections: "100",
      shared_buffers: "256MB",
      effective_cache_size: "768MB",
      max_wal_size: "2GB",
      wal_compression: "on",
      ssl: "on",
      ssl_cert_file: "/etc/postgres/tls/tls.crt",
      ssl_key_file: "/etc/postgres/tls/tls.key",
      hba_file: "/etc/postgres/config/pg_hba.conf",
    });
  });

  it("leave twenty connections for each server, ten for the collector, the migrations and others, and three to itself", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 50 }), (replicas) => {
        const connections = Number(postgresParameters(settings(), replicas).max_connections);
        assert.ok(connections >= 20 * replicas + 10 + 10 + 10 + 3);
        assert.ok(connections >= 100);
      }),
    );
    assert.equal(postgresParameters(settings(), 50).max_connections, "1033");
  });

  it("have the number of connections that is set", () => {
    assert.equal(postgresParameters(settings({ maxConnections: 60 }), 1).max_connections, "60");
  });

  it("share a quarter of the memory's limit", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 512 }), (gibibytes) => {
        const { shared_buffers, effective_cache_size } = postgresParameters(
          settings({ resources: { memoryLimit: `${gibibytes}Gi` } }),
          1,
        );
        assert.equal(shared_buffers, `${gibibytes * 256}MB`);
        assert.equal(effective_cache_size, `${gibibytes * 768}MB`);
      }),
    );
  });

  it("let nobody in over the network without TLS and a password", () => {
    assert.deepEqual(HBA.split("\n"), ["local all all trust", "hostssl all all all scram-sha-256", ""]);
  });
});

describe("PostgreSQL's pod", () => {
  const pod = async (over = {}) => {
    const { resources } = await stackOf({}, over);
    const { spec } = workload(resources, "StatefulSet", "attic-postgres");
    return { spec, postgres: container(spec.template.spec, "postgres"), resources };
  };

  it("is one", async () => {
    const { spec } = await pod();
    assert.equal(spec.replicas, 1);
    assert.equal(spec.serviceName, "attic-postgres");
  });

  it("keeps its data where the image of version 18 has them", async () => {
    const { spec, postgres } = await pod();
    const mount = postgres.volumeMounts?.find(({ name }) => name === "data");
    assert.equal(mount?.mountPath, "/var/lib/postgresql");
    const volume = spec.template.spec.volumes?.find(({ name }) => name === "data");
    assert.deepEqual(volume?.persistentVolumeClaim, { claimName: "attic-postgres-data" });
  });

  it("reads its password from a file and has none among its variables", async () => {
    const { postgres } = await pod();
    assert.deepEqual(variables(postgres), {
      POSTGRES_USER: "attic",
      POSTGRES_DB: "attic",
      POSTGRES_PASSWORD_FILE: "/etc/postgres/password/password",
    });
  });

  it("runs as the image's user, whose group reads the key and nobody else does", async () => {
    const { spec } = await pod();
    assert.equal(spec.template.spec.securityContext?.fsGroup, 999);
    const modes = spec.template.spec.volumes?.flatMap(({ name, secret }) =>
      secret ? [[name, secret.defaultMode]] : [],
    );
    assert.deepEqual(modes, [
      ["password", 0o440],
      ["tls", 0o440],
    ]);
  });

  it("is ready when it answers over TCP, which it does not while it is set up", async () => {
    const { postgres } = await pod();
    const command = ["pg_isready", "-h", "127.0.0.1", "-U", "attic", "-d", "attic"];
    for (const probe of [postgres.startupProbe, postgres.readinessProbe, postgres.livenessProbe])
      assert.deepEqual(probe?.exec, { command });
  });

  it("is told its parameters as arguments", async () => {
    const { postgres } = await pod({ server: { replicas: 8 } });
    const given = postgres.args!.filter((word) => word !== "-c");
    assert.equal(given.length * 2, postgres.args!.length);
    const read = Object.fromEntries(given.map((word) => word.split("=") as [string, string]));
    assert.deepEqual(read, postgresParameters(settings(), 8));
    assert.equal(read.max_connections, "193");
  });

  it("has the size and the class of volume that are set", async () => {
    const { resources } = await pod({ database: { kind: "postgres", size: "20Gi", storageClass: "fast" } });
    const { spec } = find(resources, "PersistentVolumeClaim", "attic-postgres-data").inputs;
    assert.deepEqual(spec, {
      accessModes: ["ReadWriteOnce"],
      resources: { requests: { storage: "20Gi" } },
      storageClassName: "fast",
    });
  });
});

describe("the way to PostgreSQL", () => {
  it("is a URL that asks for a full check of its certificate, and a secret", async () => {
    const { result, resources } = await stackOf({});
    const { password } = dataOf(resources, "Secret", "attic-postgres-password");
    assert.deepEqual(await valueOf(result.databaseUrl), {
      value: `postgres://attic:${password}@attic-postgres.attic.svc:5432/attic?sslmode=verify-full&sslrootcert=/etc/attic-database/ca.crt`,
      secret: true,
    });
  });

  it("has a password that needs no encoding, and of 32 characters", async () => {
    const { resources } = await stackOf({});
    const { inputs } = find(resources, "RandomPassword", "attic-postgres-password");
    assert.deepEqual(inputs, { length: 32, special: false });
  });

  it("has a certificate for the name in the URL, which signs no other", async () => {
    const { resources } = await stackOf({}, { namespace: "nix" });
    const { inputs } = find(resources, "SelfSignedCert", "attic-postgres-tls");
    assert.deepEqual(inputs.dnsNames, [
      "attic-postgres.nix.svc",
      "attic-postgres.nix.svc.cluster.local",
      "attic-postgres",
      "localhost",
    ]);
    assert.equal(inputs.isCaCertificate, undefined);
    assert.deepEqual(inputs.allowedUses, ["digital_signature", "server_auth"]);
    assert.deepEqual([inputs.validityPeriodHours, inputs.earlyRenewalHours], [87_600, 8760]);
  });

  it("gives Attic the certificate that the server shows, and not its key", async () => {
    const { resources } = await stackOf({});
    const bundle = dataOf(resources, "ConfigMap", "attic-database-ca");
    const tls = dataOf(resources, "Secret", "attic-postgres-tls");
    assert.match(tls["tls.crt"]!, /^-----BEGIN CERTIFICATE-----\n/);
    assert.deepEqual(bundle, { "ca.crt": tls["tls.crt"] });
  });
});
