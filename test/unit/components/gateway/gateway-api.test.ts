import assert from "node:assert/strict";
import { find, ofKind } from "../../../support/objects.ts";
import { stackOf } from "../../../support/kinds.ts";
import { GATEWAY_API, GATEWAY_API_PARENT } from "../../../support/stack-files.ts";

const API = "gateway.networking.k8s.io/v1";

interface Route {
  apiVersion: string;
  spec: { parentRefs: object[]; hostnames: string[]; rules: object[] };
}
const routes = async (over = {}) => {
  const { resources } = await stackOf({}, over);
  const of = (name: string) => find(resources, "HTTPRoute", name).inputs as unknown as Route;
  return { api: of("attic-gateway-api"), store: of("attic-gateway-store"), resources };
};

describe("the stack's own Gateway", () => {
  it("has a listener for each host, which ends TLS and takes routes of its namespace", async () => {
    const { resources } = await routes();
    const { apiVersion, spec } = find(resources, "Gateway", "attic-gateway").inputs;
    const listener = (name: string, hostname: string) => ({
      name,
      hostname,
      protocol: "HTTPS",
      port: 443,
      tls: { mode: "Terminate", certificateRefs: [{ group: "", kind: "Secret", name: "attic-gateway-tls" }] },
      allowedRoutes: { namespaces: { from: "Same" } },
    });
    assert.equal(apiVersion, API);
    assert.deepEqual(spec, {
      gatewayClassName: "envoy",
      listeners: [
        listener("api", "cache.example.com"),
        listener("store", "s3.example.com"),
        { name: "http", protocol: "HTTP", port: 80, allowedRoutes: { namespaces: { from: "Same" } } },
      ],
    });
  });

  it("sends plain HTTP on to HTTPS, for every host", async () => {
    const { resources } = await routes();
    const { spec } = find(resources, "HTTPRoute", "attic-gateway-redirect").inputs as unknown as Route;
    const parent = {
      group: "gateway.networking.k8s.io",
      kind: "Gateway",
      name: "attic-gateway",
      sectionName: "http",
    };
    assert.deepEqual(spec, {
      parentRefs: [parent],
      hostnames: ["cache.example.com", "s3.example.com"],
      rules: [
        {
          matches: [{ path: { type: "PathPrefix", value: "/" } }],
          filters: [{ type: "RequestRedirect", requestRedirect: { scheme: "https", statusCode: 301 } }],
        },
      ],
    });
  });

  it("leaves plain HTTP on a Gateway that exists to whoever runs it", async () => {
    const { resources } = await routes({ gateway: GATEWAY_API_PARENT });
    assert.equal(ofKind(resources, "HTTPRoute").length, 2);
  });

  it("uses the Secret that is named where no certificate is made", async () => {
    const tls = { kind: "secret", name: "wildcard" };
    const { resources } = await routes({ gateway: { ...GATEWAY_API, tls } });
    const { spec } = find(resources, "Gateway", "attic-gateway").inputs as {
      spec: { listeners: { tls?: { certificateRefs: { name: string }[] } }[] };
    };
    assert.deepEqual(
      spec.listeners.flatMap(({ tls: own }) => own?.certificateRefs[0]!.name ?? []),
      ["wildcard", "wildcard"],
    );
    assert.equal(ofKind(resources, "Certificate").length, 0);
  });

  it("is there before its routes", async () => {
    const { resources } = await routes();
    const { urn } = find(resources, "Gateway", "attic-gateway");
    for (const name of ["attic-gateway-api", "attic-gateway-store"])
      assert.ok(find(resources, "HTTPRoute", name).dependencies.includes(urn), name);
  });
});

describe("a route", () => {
  const rule = (name: string, port: number) => ({
    matches: [{ path: { type: "PathPrefix", value: "/" } }],
    backendRefs: [{ group: "", kind: "Service", name, port, weight: 1 }],
    timeouts: { request: "0s", backendRequest: "0s" },
  });

  it("leads a host to its Service, however long a request takes", async () => {
    const { api, store } = await routes();
    assert.equal(api.apiVersion, API);
    assert.deepEqual([api.spec.hostnames, api.spec.rules], [["cache.example.com"], [rule("attic", 80)]]);
    assert.deepEqual(
      [store.spec.hostnames, store.spec.rules],
      [["s3.example.com"], [rule("attic-garage", 3900)]],
    );
  });

  it("hangs on the listener of its host", async () => {
    const { api, store } = await routes();
    const parent = (sectionName: string) => [
      { group: "gateway.networking.k8s.io", kind: "Gateway", name: "attic-gateway", sectionName },
    ];
    assert.deepEqual([api.spec.parentRefs, store.spec.parentRefs], [parent("api"), parent("store")]);
  });

  it("hangs on the Gateway that is named, and on one listener of it where that is named", async () => {
    const shared = {
      group: "gateway.networking.k8s.io",
      kind: "Gateway",
      name: "shared",
      namespace: "infra",
    };
    const { api, resources } = await routes({ gateway: GATEWAY_API_PARENT });
    assert.deepEqual(api.spec.parentRefs, [shared]);
    assert.equal(ofKind(resources, "Gateway").length, 0);
    const parent = { ...GATEWAY_API_PARENT.parent, sectionName: "https" };
    const one = await routes({ gateway: { ...GATEWAY_API_PARENT, parent } });
    assert.deepEqual(one.store.spec.parentRefs, [{ ...shared, sectionName: "https" }]);
  });
});

describe("a certificate by cert-manager", () => {
  const certificate = async (tls: object, store: "garage" | "existing" = "garage") => {
    const { resources } = await stackOf({ store }, { gateway: { ...GATEWAY_API, tls } });
    return find(resources, "Certificate", "attic-gateway-tls").inputs;
  };
  const spec = (dnsNames: string[], kind: string) => ({
    secretName: "attic-gateway-tls",
    dnsNames,
    issuerRef: { group: "cert-manager.io", kind, name: "letsencrypt" },
    privateKey: { algorithm: "ECDSA", size: 256, rotationPolicy: "Always" },
  });

  it("is for every host, by the issuer that is set", async () => {
    const found = await certificate({ kind: "cert-manager", issuer: "letsencrypt" });
    assert.equal(found.apiVersion, "cert-manager.io/v1");
    assert.deepEqual(found.spec, spec(["cache.example.com", "s3.example.com"], "ClusterIssuer"));
  });

  it("is for the server's host alone where the store has none", async () => {
    const tls = { kind: "cert-manager", issuer: "letsencrypt", issuerKind: "Issuer" };
    assert.deepEqual((await certificate(tls, "existing")).spec, spec(["cache.example.com"], "Issuer"));
  });
});
