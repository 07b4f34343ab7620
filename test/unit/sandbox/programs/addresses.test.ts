import assert from "node:assert/strict";
import {
  backendsOf,
  type Directory,
  isNameIn,
  namesOf,
  serviceAt,
} from "../../../../sandbox/programs/addresses.ts";
import type { Pod, Service } from "../../../../sandbox/programs/objects.ts";

const labels = { app: "store" };
const service: Service = {
  metadata: { name: "store", namespace: "attic" },
  spec: { selector: labels, clusterIP: "10.96.0.7", ports: [{ name: "s3", port: 80, targetPort: "s3" }] },
};
const headless: Service = {
  metadata: { name: "nodes", namespace: "attic" },
  spec: { clusterIP: "None", selector: labels, ports: [{ port: 3900 }] },
};
const pod = (name: string, namespace: string, app: string): Pod => ({
  metadata: { name, namespace, labels: { app, more: "x" } },
  spec: { containers: [{ name: "main", ports: [{ name: "s3", containerPort: 3900 }] }] },
});
const directory: Directory = {
  services: [service, headless],
  pods: [pod("store-0", "attic", "store"), pod("other-0", "attic", "other"), pod("store-0", "else", "store")],
  routes: [
    // One that only sends on to HTTPS leads nowhere.
    { metadata: { namespace: "attic" }, spec: { hostnames: ["s3.example.com"], rules: [{}] } },
    {
      metadata: { namespace: "attic" },
      spec: { hostnames: ["s3.example.com"], rules: [{ backendRefs: [{ name: "store", port: 80 }] }] },
    },
  ],
  ingresses: [
    {
      metadata: { namespace: "attic" },
      spec: {
        rules: [
          {
            host: "ingress.example.com",
            http: {
              paths: [{ pathType: "Prefix", backend: { service: { name: "store", port: { name: "s3" } } } }],
            },
          },
          { host: "lost.example.com", http: { paths: [{ pathType: "Prefix", backend: {} }] } },
        ],
      },
    },
  ],
};

describe("a name in the cluster", () => {
  for (const [host, asked] of [
    ["store", "attic"],
    ["store.attic", "else"],
    ["store.attic.svc", "else"],
    ["store.attic.svc.cluster.local", "else"],
    ["store.attic.svc.cluster.local.", "else"],
    ["10.96.0.7", "else"],
    ["s3.example.com", "else"],
    ["ingress.example.com", "else"],
  ] as const) {
    it(`${host} leads to its Service, asked from the namespace ${asked}`, () => {
      assert.deepEqual(serviceAt(directory, host, 80, asked), { service, port: 80 });
    });
  }

  for (const [host, asked] of [
    ["store", "else"],
    ["store.else.svc", "attic"],
    ["None", "attic"],
    ["lost.example.com", "attic"],
    ["example.com", "attic"],
    ["", "attic"],
  ] as const) {
    it(`"${host}" leads nowhere, asked from the namespace ${asked}`, () => {
      assert.equal(serviceAt(directory, host, 80, asked), undefined);
    });
  }

  it("can be no other's where it is one of the asker's own namespace", () => {
    const own = ["store", "store.attic.svc", "store.attic.svc.cluster.local"];
    const others = ["store.else.svc", "store.attic", "db.example.com", "10.1.2.3"];
    assert.deepEqual(
      [...own, ...others].filter((host) => isNameIn("attic", host)),
      own,
    );
  });
});

describe("a Service", () => {
  it("leads to the pods of its namespace that have its labels, at the port that its own means", () => {
    const [found] = backendsOf(directory, { service, port: 80 });
    assert.deepEqual(found, { pod: directory.pods[0], containerPort: 3900 });
    assert.equal(backendsOf(directory, { service, port: 80 }).length, 1);
    assert.deepEqual(
      backendsOf(directory, { service: headless, port: 3900 }).map(({ containerPort }) => containerPort),
      [3900],
    );
  });

  it("leads nowhere at a port that it does not have, by a name that no container has, or without a selector", () => {
    assert.deepEqual(backendsOf(directory, { service, port: 443 }), []);
    const unnamed: Service = {
      ...service,
      spec: { ...service.spec, ports: [{ port: 80, targetPort: "http" }] },
    };
    assert.deepEqual(backendsOf(directory, { service: unnamed, port: 80 }), []);
    const free: Service = { ...service, spec: { ports: [{ port: 80 }] } };
    assert.deepEqual(backendsOf(directory, { service: free, port: 80 }), []);
  });
});

describe("the names of a cluster", () => {
  it("are those of every port of every Service, and the public ones, each once", () => {
    assert.deepEqual(
      namesOf(directory).map(({ host, port }) => `${host}:${port}`),
      [
        "store.attic.svc:80",
        "nodes.attic.svc:3900",
        "s3.example.com:443",
        "ingress.example.com:443",
        "lost.example.com:443",
      ],
    );
  });
});
