import assert from "node:assert/strict";
import { container, type Container, dataOf, variables, workload } from "../../../support/objects.ts";
import { everyKind, type Kinds, stackOf } from "../../../support/kinds.ts";
import { BUCKET } from "../../../support/stack-files.ts";
import { tomlOf } from "../../../support/values.ts";

const LOG = { RUST_LOG: "info,sqlx::query=warn", HOME: "/tmp" };
const NO_NODE = { AWS_EC2_METADATA_DISABLED: "true" };
const CHECKSUMS = {
  AWS_REQUEST_CHECKSUM_CALCULATION: "WHEN_REQUIRED",
  AWS_RESPONSE_CHECKSUM_VALIDATION: "WHEN_REQUIRED",
};

async function server(kinds: Partial<Kinds> = {}, over = {}): Promise<Container> {
  const { resources } = await stackOf(kinds, over);
  const kind = kinds.store === "volume" ? "StatefulSet" : "Deployment";
  return container(workload(resources, kind, "attic").spec.template.spec, "api-server");
}

describe("an API server", () => {
  it("serves and does nothing else: no migration, no collector", async () => {
    const { args, command } = await server();
    assert.deepEqual(args, ["-f", "/etc/attic/server.toml", "--mode", "api-server"]);
    assert.equal(command, undefined);
  });

  it("is probed with a Host header that it allows, whatever the gateway and the hosts", async () => {
    for (const kinds of everyKind) {
      const { resources } = await stackOf(kinds);
      const { startupProbe, readinessProbe, livenessProbe } = await server(kinds);
      const allowed = tomlOf(dataOf(resources, "ConfigMap", "attic-config")["server.toml"]!)["allowed-hosts"];
      for (const probe of [startupProbe, readinessProbe, livenessProbe]) {
        const { path, port, httpHeaders } = probe!.httpGet!;
        assert.deepEqual([path, port], ["/", "http"]);
        assert.deepEqual(httpHeaders, [{ name: "Host", value: "cache.example.com" }]);
        assert.ok((allowed as string[]).includes(httpHeaders[0]!.value));
      }
    }
  });

  it("may be asked under its public name, further names and those of its Service", async () => {
    const { resources } = await stackOf(
      {},
      { namespace: "nix", server: { additionalHosts: ["push.example.com"] } },
    );
    const { "allowed-hosts": hosts } = tomlOf(dataOf(resources, "ConfigMap", "attic-config")["server.toml"]!);
    assert.deepEqual(hosts, [
      "cache.example.com",
      "push.example.com",
      "attic",
      "attic.nix",
      "attic.nix.svc",
      "attic.nix.svc.cluster.local",
    ]);
  });

  it("tells clients the gateway's address", async () => {
    const { result, resources } = await stackOf({});
    const { "api-endpoint": endpoint } = tomlOf(
      dataOf(resources, "ConfigMap", "attic-config")["server.toml"]!,
    );
    assert.equal(endpoint, "https://cache.example.com/");
    assert.equal(result.apiEndpoint, endpoint);
  });

  it("is told what is secret by its Secret, and the rest in plain", async () => {
    const { env, envFrom } = await server();
    assert.deepEqual(envFrom, [{ secretRef: { name: "attic-environment-auto" } }]);
    assert.deepEqual(
      env!.filter(({ valueFrom }) => valueFrom !== undefined),
      [],
    );
  });

  it("is told of its store what the SDK would ask the node for", async () => {
    const ofAws = { AWS_REGION: "eu-central-1", ...NO_NODE };
    assert.deepEqual(variables(await server({ store: "garage" })), {
      ...LOG,
      AWS_REGION: "garage",
      ...NO_NODE,
      ...CHECKSUMS,
    });
    assert.deepEqual(variables(await server({ store: "existing" })), { ...LOG, ...ofAws });
    const elsewhere = { storage: { ...BUCKET, endpoint: "https://ceph.lan" } };
    assert.deepEqual(variables(await server({ store: "existing" }, elsewhere)), {
      ...LOG,
      ...ofAws,
      ...CHECKSUMS,
    });
    assert.deepEqual(variables(await server({ store: "volume" })), LOG);
  });

  it("listens where its Service and its policies look for it", async () => {
    const { ports } = await server();
    assert.deepEqual(ports, [{ name: "http", containerPort: 8080 }]);
  });

  it("stays for a moment after the gateway was told that it goes, and longer for uploads", async () => {
    const { resources } = await stackOf({});
    const { spec } = workload(resources, "Deployment", "attic").spec.template;
    assert.deepEqual(container(spec, "api-server").lifecycle, { preStop: { sleep: { seconds: 5 } } });
    assert.equal(spec.terminationGracePeriodSeconds, 60);
  });

  it("has the image and the resources that are set", async () => {
    const image = "registry.example.com/attic:1";
    const { image: used, resources } = await server(
      {},
      {
        server: { image, resources: { cpu: "2", cpuLimit: "4", memory: "1Gi", memoryLimit: "8Gi" } },
      },
    );
    assert.equal(used, image);
    assert.deepEqual(resources, {
      requests: { cpu: "2", memory: "1Gi" },
      limits: { cpu: "4", memory: "8Gi" },
    });
  });
});
