import assert from "node:assert/strict";
import { normalize, prune } from "../../../../sandbox/plugins/kubernetes/normalize.ts";
import { canonicalQuantity } from "../../../../sandbox/plugins/kubernetes/quantity.ts";
import { Unknown } from "../../../../provider/protocol/values.ts";

// What k8s.io/apimachinery's resource.ParseQuantity(...).String() gives.
const QUANTITIES: readonly [given: string, canonical: string | undefined][] = [
  ["0.5", "500m"],
  ["1", "1"],
  ["1000", "1k"],
  ["1000m", "1"],
  ["1500m", "1500m"],
  ["1024Mi", "1Gi"],
  ["1.5Gi", "1536Mi"],
  ["512Ki", "512Ki"],
  ["1Ki", "1Ki"],
  ["0.5Ki", "512"],
  ["1024", "1024"],
  ["100M", "100M"],
  ["1e3", "1e3"],
  ["12e6", "12e6"],
  ["0", "0"],
  ["0Mi", "0"],
  ["0.0000000001", "1n"],
  ["-0.5", "-500m"],
  ["five", undefined],
  ["5 Gi", undefined],
  ["", undefined],
  [".", undefined],
];

describe("canonical quantities", () => {
  for (const [given, canonical] of QUANTITIES) {
    it(`makes ${canonical ?? "nothing"} of "${given}"`, () => {
      assert.equal(canonicalQuantity(given), canonical);
    });
  }
});

describe("normalized inputs", () => {
  it("lose what Kubernetes' types leave out, and keep what pointers hold", () => {
    const pod = {
      apiVersion: "v1",
      kind: "Pod",
      metadata: { name: "p", labels: {}, uid: "x", resourceVersion: "1" },
      spec: {
        hostNetwork: false,
        automountServiceAccountToken: false,
        terminationGracePeriodSeconds: 0,
        nodeSelector: {},
        securityContext: {},
        containers: [
          {
            name: "c",
            args: [],
            tty: false,
            env: [{ name: "EMPTY", value: "" }],
            resources: { requests: { cpu: 0.5, memory: "1024Mi" }, limits: {} },
            readinessProbe: { initialDelaySeconds: 0, periodSeconds: 0 },
            volumeMounts: [{ name: "d", mountPath: "/d", readOnly: false }],
          },
        ],
        volumes: [{ name: "d", emptyDir: {}, unknownField: null }],
      },
    };
    assert.deepEqual(normalize(pod), {
      apiVersion: "v1",
      kind: "Pod",
      metadata: { name: "p" },
      spec: {
        automountServiceAccountToken: false,
        terminationGracePeriodSeconds: 0,
        securityContext: {},
        containers: [
          {
            name: "c",
            env: [{ name: "EMPTY" }],
            resources: { requests: { cpu: "500m", memory: "1Gi" } },
            readinessProbe: {},
            volumeMounts: [{ name: "d", mountPath: "/d" }],
          },
        ],
        volumes: [{ name: "d", emptyDir: {} }],
      },
    });
  });

  it("keep an unknown field, for the API server to refuse", () => {
    const service = { apiVersion: "v1", kind: "Service", metadata: {}, spec: { prots: [{ port: 1 }] } };
    assert.deepEqual(normalize(service), service);
  });

  it("look into no free-form map", () => {
    const map = {
      apiVersion: "v1",
      kind: "ConfigMap",
      metadata: { labels: { type: "" } },
      data: { env: "" },
    };
    assert.deepEqual(normalize(map), map);
  });

  it("keep the empty rules of a Role, and drop those of a NetworkPolicy", () => {
    const role = { apiVersion: "rbac.authorization.k8s.io/v1", kind: "Role", metadata: {}, rules: [] };
    assert.deepEqual(normalize(role), role);
    const policy = { apiVersion: "networking.k8s.io/v1", kind: "NetworkPolicy", metadata: {} };
    assert.deepEqual(normalize({ ...policy, spec: { podSelector: {}, ingress: [] } }), {
      ...policy,
      spec: { podSelector: {} },
    });
  });

  it("hold the strings of a Secret as data", () => {
    const secret = { apiVersion: "v1", kind: "Secret", metadata: {} };
    assert.deepEqual(normalize({ ...secret, data: { a: "QQ==\n" }, stringData: { b: "B" } }), {
      ...secret,
      data: { a: "QQ==\n", b: "Qg==" },
    });
    assert.deepEqual(normalize({ ...secret, data: { a: "QQ==\n" } }), { ...secret, data: { a: "QQ==" } });
  });

  it("stay as they are where something is unknown, or the kind is a custom one", () => {
    const unknown = {
      apiVersion: "v1",
      kind: "Secret",
      metadata: {},
      stringData: { a: new Unknown() },
    };
    assert.deepEqual(normalize(unknown), unknown);
    const custom = {
      apiVersion: "example.org/v1",
      kind: "Thing",
      metadata: {},
      spec: { on: false, list: [] },
    };
    assert.deepEqual(normalize(custom), custom);
  });
});

describe("pruning", () => {
  it("cuts the live object to the shape of the inputs", () => {
    assert.deepEqual(
      prune(
        { a: 1, b: { c: 2, d: 3 }, l: [{ x: 1, y: 2 }, { x: 3 }], extra: true, s: ["a", "b"] },
        { a: 9, b: { c: 9 }, l: [{ x: 9 }], missing: 1, s: ["z", "z", "z"] },
      ),
      { a: 1, b: { c: 2 }, l: [{ x: 1 }], s: ["a", "b"] },
    );
  });

  it("keeps the whole of a value whose type has changed", () => {
    assert.deepEqual(prune({ a: { b: 1 }, l: [1, 2] }, { a: "text", l: [{}] }), { a: { b: 1 }, l: [1, 2] });
  });
});
