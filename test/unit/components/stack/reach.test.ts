import assert from "node:assert/strict";
import { type Labels, ofKind, type Policy, workloadsOf } from "../../../support/objects.ts";
import { everyKind, type Kinds, nameOf, type Stack, stackOf } from "../../../support/kinds.ts";
import { mayReach, type Place } from "../../../support/reach.ts";

const NAMESPACE = "attic";
const GATEWAYS: Record<Kinds["gateway"], string> = {
  "gateway-api": "envoy-gateway-system",
  "gateway-api on a shared Gateway": "envoy-gateway-system",
  traefik: "kube-system",
  nginx: "ingress-nginx",
};
/** Ports that something in or near the stack listens on, and some that nobody should reach. */
const PORTS = [22, 80, 443, 3900, 3901, 3903, 5432, 6432, 8080, 8089, 9000];
const NAMES: Labels = {
  attic: "server",
  "attic-collector": "collector",
  "attic-migrations": "migrations",
  "attic-postgres": "database",
  "attic-garage": "store",
  "attic-minio": "store",
  "attic-minio-bucket": "bucket",
};

function placesOf({ resources }: Stack, gateway: string): Record<string, Place> {
  return {
    ...Object.fromEntries(
      workloadsOf(resources).map(({ resource, spec }) => [
        NAMES[resource]!,
        { namespace: NAMESPACE, labels: spec.template.metadata.labels },
      ]),
    ),
    stranger: { namespace: NAMESPACE, labels: { app: "stranger" } },
    solver: { namespace: NAMESPACE, labels: { "acme.cert-manager.io/http01-solver": "true" } },
    gateway: { namespace: gateway, labels: { app: "proxy" } },
    elsewhere: { namespace: "default", labels: { "attic-stack/database-client": "true" } },
    outside: "outside",
  };
}

/** Every connection by TCP that the policies let through and that has an end in the stack, but to name servers. */
function connections(stack: Stack, gateway: string): string[] {
  const policies = ofKind<Policy>(stack.resources, "NetworkPolicy");
  const places = Object.entries(placesOf(stack, gateway));
  const inStack = (place: Place) => place !== "outside" && place.namespace === NAMESPACE;
  return places.flatMap(([from, source]) =>
    places
      .filter(([to, target]) => to !== from && (inStack(source) || inStack(target)))
      .flatMap(([to, target]) => {
        const open = PORTS.filter((port) => mayReach(policies, source, target, { protocol: "TCP", port }));
        if (open.length === 0) return [];
        return [`${from} to ${to}: ${open.length === PORTS.length ? "all" : open.join(", ")}`];
      }),
  );
}

/** What somebody who knows what the parts are for would let through. */
function wanted({ database, store, gateway }: Kinds): string[] {
  const list: string[] = [];
  const inCluster = /garage|minio/.exec(store)?.[0];
  const storePort = inCluster === "garage" ? 3900 : 9000;
  const published = inCluster === store;
  const servers = store === "volume" ? ["server"] : ["server", "collector"];
  const databaseUsers = [...servers, "migrations"];
  const storeUsers = store === "volume" ? [] : [...servers, ...(inCluster === "minio" ? ["bucket"] : [])];

  if (database === "postgres") list.push(...databaseUsers.map((from) => `${from} to database: 5432`));
  if (inCluster !== undefined) list.push(...storeUsers.map((from) => `${from} to store: ${storePort}`));
  list.push("gateway to server: 8080");
  if (published) list.push(`gateway to store: ${storePort}`);
  if (gateway === "gateway-api" || gateway === "nginx") list.push("gateway to solver: 8089");

  // Out of the namespace: to a database elsewhere, and to the store by its public name.
  const https = new Set(store === "existing" || published ? storeUsers : []);
  const port6432 = new Set(database === "existing" ? databaseUsers : []);
  for (const from of new Set([...https, ...port6432])) {
    const ports = [...(https.has(from) ? [443] : []), ...(port6432.has(from) ? [6432] : [])].join(", ");
    list.push(`${from} to elsewhere: ${ports}`, `${from} to outside: ${ports}`);
    list.push(`${from} to gateway: ${published && https.has(from) ? "all" : ports}`);
  }
  return list.sort();
}

describe("the network policies of a stack", () => {
  for (const kinds of everyKind) {
    it(`let through what is needed and nothing else: ${nameOf(kinds)}`, async () => {
      const found = connections(await stackOf(kinds), GATEWAYS[kinds.gateway]).sort();
      assert.deepEqual(found, wanted(kinds));
    });
  }

  it("govern every pod of the namespace in both directions", async () => {
    const { resources } = await stackOf({});
    const [first] = ofKind<Policy>(resources, "NetworkPolicy").filter(
      ({ metadata }) => metadata?.name === "default-deny",
    );
    assert.deepEqual(first?.spec, {
      podSelector: {},
      policyTypes: ["Ingress", "Egress"],
      egress: [
        {
          ports: [
            { protocol: "UDP", port: 53 },
            { protocol: "TCP", port: 53 },
          ],
        },
      ],
    });
  });

  it("let every pod ask a name server", async () => {
    const stack = await stackOf({});
    const policies = ofKind<Policy>(stack.resources, "NetworkPolicy");
    const names: Place = { namespace: "kube-system", labels: { "k8s-app": "kube-dns" } };
    for (const place of Object.values(placesOf(stack, "envoy-gateway-system"))) {
      for (const protocol of ["UDP", "TCP"] as const)
        assert.equal(mayReach(policies, place, names, { protocol, port: 53 }), true);
    }
  });

  it("let nothing through by UDP but that", async () => {
    const stack = await stackOf({ store: "minio", database: "existing" });
    const policies = ofKind<Policy>(stack.resources, "NetworkPolicy");
    const places = Object.values(placesOf(stack, "envoy-gateway-system")).filter(
      (place) => place !== "outside" && place.namespace === NAMESPACE,
    );
    for (const from of places)
      for (const to of places)
        for (const port of PORTS)
          assert.equal(mayReach(policies, from, to, { protocol: "UDP", port }), false);
  });

  it("follow the controller to the namespace that is set for it", async () => {
    const { resources } = await stackOf({}, { gateway: { ...TRAEFIK_ELSEWHERE } });
    const policies = ofKind<Policy>(resources, "NetworkPolicy");
    const server: Place = {
      namespace: NAMESPACE,
      labels: workloadsOf(resources).find(({ resource }) => resource === "attic")!.spec.template.metadata
        .labels,
    };
    const from = (namespace: string): Place => ({ namespace, labels: { app: "traefik" } });
    const port = { protocol: "TCP", port: 8080 } as const;
    assert.equal(mayReach(policies, from("traefik"), server, port), true);
    assert.equal(mayReach(policies, from("kube-system"), server, port), false);
  });
});

const TRAEFIK_ELSEWHERE = {
  kind: "traefik",
  host: "cache.example.com",
  controllerNamespace: "traefik",
  tls: { kind: "secret", name: "wildcard" },
};
