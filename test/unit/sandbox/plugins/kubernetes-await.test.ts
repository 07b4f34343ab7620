import assert from "node:assert/strict";
import { customReadiness } from "../../../../sandbox/plugins/kubernetes/await/conditions.ts";
import { parsePathCondition } from "../../../../sandbox/plugins/kubernetes/await/json-path.ts";
import { podErrors } from "../../../../sandbox/plugins/kubernetes/await/pods.ts";
import type { Readiness, Scene, Verdict } from "../../../../sandbox/plugins/kubernetes/await/readiness.ts";
import { daemonSet, job, statefulSet } from "../../../../sandbox/plugins/kubernetes/await/workloads.ts";
import type { KubeObject } from "../../../../sandbox/plugins/kubernetes/object.ts";

const object = {
  metadata: { generation: 2 },
  spec: { replicas: 2 },
  status: {
    phase: "Running",
    count: 3,
    observedGeneration: 2,
    conditions: [
      { type: "Ready", status: "True" },
      { type: "Synced", status: "False" },
    ],
    "odd.key": ["x", { y: true }],
  },
};

const PATHS: readonly [expression: string, matches: boolean][] = [
  ["jsonpath={.status.phase}=Running", true],
  ["jsonpath={.status.phase}=Pending", false],
  ["jsonpath={.status.phase}", true],
  ["jsonpath={.status.none}", false],
  ["jsonpath={ $.status.count }=3", true],
  ["jsonpath={.status.conditions[0].status}=True", true],
  ["jsonpath={.status.conditions[-1].status}=False", true],
  ["jsonpath={.status.conditions[*].status}=True", true],
  ['jsonpath={.status.conditions[?(@.type=="Synced")].status}=False', true],
  ["jsonpath={.status.conditions[?@.type=='Ready'].status}=True", true],
  ["jsonpath={.status['odd.key'][1].y}=true", true],
  ['jsonpath={.status["odd.key"][0]}=x', true],
];

describe("a JSONPath to wait for", () => {
  for (const [expression, matches] of PATHS) {
    it(`${matches ? "meets" : "misses"} ${expression}`, () => {
      assert.equal(parsePathCondition(expression).matches(object), matches);
    });
  }

  for (const [expression, reason] of [
    ["jsonpath=.status", /should be wrapped in brackets/],
    ["jsonpath='{.status}'", /should omit shell quotes/],
    ["jsonpath={.a}=", /requires a value/],
    ["jsonpath={.a}=b=c", /format should be/],
    ["jsonpath={.a[(]}", /cannot read/],
  ] as const) {
    it(`is refused: ${expression}`, () => {
      assert.throws(() => parsePathCondition(expression), reason);
    });
  }
});

function look(readiness: Readiness, now: KubeObject): Promise<Verdict> | Verdict {
  const api = { get: () => Promise.resolve({ items: [] }) };
  const discovery = { collection: () => Promise.resolve("/pods") };
  const scene = { api, discovery, outputs: now, before: undefined, reading: false, say: () => undefined };
  return readiness.check(now, scene as unknown as Scene);
}

describe("readiness", () => {
  it("by conditions needs all of them, of this generation", async () => {
    assert.equal((await look(customReadiness(["condition=ready"]), object)).ready, true);
    assert.equal(
      (await look(customReadiness(["condition=Synced=False", "condition=Ready"]), object)).ready,
      true,
    );
    assert.equal((await look(customReadiness(["condition=Ready", "condition=Synced"]), object)).ready, false);
    const old = { ...object, metadata: { generation: 3 } };
    assert.equal((await look(customReadiness(["condition=Ready"]), old)).ready, false);
    assert.throws(
      () => customReadiness(["Ready"]),
      /expected a "jsonpath=" or "condition=" prefix, got "Ready"/,
    );
  });

  it("of a Job is its completion, and a failure is final", async () => {
    const status = (conditions: KubeObject[]): KubeObject => ({
      metadata: { name: "j" },
      status: { startTime: "now", conditions },
    });
    assert.equal((await look(job, status([]))).ready, false);
    assert.equal((await look(job, status([{ type: "Complete", status: "True" }]))).ready, true);
    const failed = { type: "Failed", status: "True", reason: "BackoffLimitExceeded", message: "too often" };
    const verdict = await look(job, status([failed]));
    assert.equal(verdict.fatal, true);
    assert.deepEqual(await verdict.errors?.(), ["[BackoffLimitExceeded] too often"]);
  });

  it("of a StatefulSet is every replica, of the newest revision, as the controller has seen it", async () => {
    const status = {
      replicas: 2,
      readyReplicas: 2,
      currentReplicas: 2,
      currentRevision: "a",
      updateRevision: "a",
    };
    const set = (generation: number, change: KubeObject): KubeObject => ({
      metadata: { generation },
      spec: { replicas: 2 },
      status: { observedGeneration: 1, ...status, ...change },
    });
    assert.equal((await look(statefulSet, set(1, {}))).ready, true);
    assert.equal((await look(statefulSet, set(2, {}))).ready, false);
    assert.equal((await look(statefulSet, set(1, { updateRevision: "b" }))).ready, false);
    const verdict = await look(statefulSet, set(1, { readyReplicas: 1, updatedReplicas: 2 }));
    assert.deepEqual(await verdict.errors?.(), ["1 out of 2 replicas succeeded readiness checks"]);
  });

  it("of a DaemonSet is a pod on every node", async () => {
    const status = { observedGeneration: 1, desiredNumberScheduled: 2, currentNumberScheduled: 2 };
    const set = (ready: number): KubeObject => ({
      metadata: { generation: 1 },
      status: { ...status, updatedNumberScheduled: 2, numberAvailable: ready, numberReady: ready },
    });
    assert.equal((await look(daemonSet, set(2))).ready, true);
    assert.equal((await look(daemonSet, set(1))).ready, false);
  });
});

describe("what keeps a pod from being ready", () => {
  const pod = (containerStatuses: KubeObject[]): KubeObject => ({
    metadata: { name: "p", namespace: "n" },
    status: {
      conditions: [
        { type: "PodScheduled", status: "True" },
        { type: "Initialized", status: "True" },
        { type: "Ready", status: "False", reason: "ContainersNotReady", message: "not ready: [c]" },
      ],
      containerStatuses,
    },
  });

  it("is told with its container's state", () => {
    const state = { waiting: { reason: "ImagePullBackOff", message: "no such image" } };
    assert.deepEqual(podErrors(pod([{ name: "c", ready: false, state }])), [
      "[Pod n/p]: not ready: [c][ImagePullBackOff] no such image",
    ]);
    const ended = { terminated: { reason: "Error", exitCode: 3 } };
    assert.deepEqual(podErrors(pod([{ name: "c", ready: false, state: ended }])), [
      '[Pod n/p]: not ready: [c]container "c" completed with exit code 3',
    ]);
  });
});
