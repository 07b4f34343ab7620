import assert from "node:assert/strict";
import { oneGarbageCollector } from "../../../policy/rules/data.ts";
import { everyKind, nameOf, stackOf } from "../../support/kinds.ts";
import { type Given, reported, reportedOfStack } from "../../support/policy.ts";

const END = "Run it as a StatefulSet with one replica. See docs/policy.md#one-garbage-collector.";
const ATTIC = "ghcr.io/zhaofengli/attic:latest";
const COLLECTOR = { image: ATTIC, args: ["--mode", "garbage-collector"] };
const SERVER = { image: ATTIC, args: ["--mode", "api-server"] };

function given(kind: string, container: object, spec: object = {}, name = "it"): Given {
  const group = ["Job", "CronJob"].includes(kind) ? "batch" : "apps";
  const template = { spec: { containers: [container] } };
  return {
    type: `kubernetes:${group}/v1:${kind}`,
    name,
    props: {
      spec: kind === "CronJob" ? { jobTemplate: { spec: { template } }, ...spec } : { template, ...spec },
    },
  };
}
/** What is said of each resource before it is made, and then of all of them. */
async function told(...resources: Given[]): Promise<string[]> {
  const each = await Promise.all(resources.map((resource) => reported(oneGarbageCollector, resource)));
  const all = await reportedOfStack(oneGarbageCollector, resources);
  return [...each.flat(), ...all.map(([, message]) => message)];
}

describe("the rule of one garbage collector", () => {
  const right: Record<string, Given[]> = {
    "a StatefulSet of one": [given("StatefulSet", COLLECTOR, { replicas: 1 })],
    "a StatefulSet that says no number": [given("StatefulSet", COLLECTOR)],
    "a Deployment that is made anew": [given("Deployment", COLLECTOR, { strategy: { type: "Recreate" } })],
    "a Job": [given("Job", { ...COLLECTOR, args: ["--mode", "garbage-collector-once"] })],
    "a CronJob whose runs never meet": [given("CronJob", COLLECTOR, { concurrencyPolicy: "Forbid" })],
    "ten servers and one collector": [
      given("Deployment", SERVER, { replicas: 10 }, "servers"),
      given("StatefulSet", COLLECTOR, {}, "collector"),
    ],
    "a server in the mode monolithic, alone": [given("StatefulSet", { image: ATTIC })],
    "another program that is told no mode": [given("Deployment", { image: "docker.io/library/postgres:18" })],
    "what is no workload": [
      { type: "kubernetes:core/v1:ConfigMap", props: { data: { mode: "monolithic" } } },
    ],
    "what is not known yet": [
      { type: "kubernetes:apps/v1:Deployment", props: {} },
      { type: "kubernetes:apps/v1:Deployment", props: { spec: {} } },
      { type: "kubernetes:apps/v1:Deployment", props: { spec: { template: { spec: {} } } } },
    ],
    "a resource of another form": [
      { type: "kubernetes:example.com/v1:Thing", props: { spec: { containers: 3 } } },
    ],
    "a type that only looks like a workload": [
      { ...given("Deployment", COLLECTOR), type: "aws:apps/v1:Deployment" },
    ],
  };
  for (const [what, resources] of Object.entries(right)) {
    it(`lets through ${what}`, async () => {
      assert.deepEqual(await told(...resources), []);
    });
  }

  const wrong: Record<string, [Given, string]> = {
    "several replicas": [
      given("StatefulSet", COLLECTOR, { replicas: 3 }),
      "The garbage collector would run 3 times.",
    ],
    "a rolled Deployment": [
      given("Deployment", COLLECTOR),
      "While this Deployment is rolled, its old and its new garbage collector run at the same time.",
    ],
    "a DaemonSet": [given("DaemonSet", COLLECTOR), "The garbage collector would run on every node."],
    "a Job of two pods": [
      given("Job", COLLECTOR, { parallelism: 2 }),
      "The garbage collector would run several times at once.",
    ],
    "a CronJob whose runs may meet": [
      given("CronJob", COLLECTOR),
      "A run of the garbage collector that takes long would meet the next one: set concurrencyPolicy to Forbid.",
    ],
    "the mode monolithic": [
      given("Deployment", { image: ATTIC, args: ["--mode=monolithic"] }, { replicas: 2 }),
      "The garbage collector would run 2 times.",
    ],
    "no mode": [
      given("Deployment", { image: ATTIC, args: ["-f", "/etc/server.toml"] }, { replicas: 2 }),
      "The garbage collector would run 2 times.",
    ],
    "the program by its own name in another image": [
      given("Deployment", { image: "registry.lan/tools:1", command: ["/bin/atticd"] }, { replicas: 2 }),
      "The garbage collector would run 2 times.",
    ],
    "an image by digest": [
      given("Deployment", { image: `attic-server@sha256:${"0".repeat(64)}` }, { replicas: 2 }),
      "The garbage collector would run 2 times.",
    ],
  };
  for (const [what, [resource, fault]] of Object.entries(wrong)) {
    it(`refuses before it is made ${what}`, async () => {
      assert.deepEqual(await reported(oneGarbageCollector, resource), [`${fault} ${END}`]);
    });
  }

  it("finds a collector beside a server in one pod", async () => {
    const spec = { replicas: 2, template: { spec: { containers: [SERVER, COLLECTOR] } } };
    assert.deepEqual(await told({ type: "kubernetes:apps/v1:StatefulSet", props: { spec } }), [
      `The garbage collector would run 2 times. ${END}`,
    ]);
  });

  it("refuses two workloads with one each, at the second", async () => {
    const found = await reportedOfStack(oneGarbageCollector, [
      given("StatefulSet", COLLECTOR, {}, "first"),
      given("StatefulSet", { image: ATTIC }, {}, "second"),
      { type: "kubernetes:core/v1:Pod", name: "third", props: { spec: { containers: [COLLECTOR] } } },
    ]);
    assert.deepEqual(found, [
      [
        "second",
        "There are 3 workloads with a garbage collector. Keep one, and run the others with --mode api-server. See docs/policy.md#one-garbage-collector.",
      ],
    ]);
  });

  it("is mandatory", () => {
    assert.equal(oneGarbageCollector.enforcementLevel, "mandatory");
  });

  for (const kinds of everyKind) {
    it(`lets the stack through: ${nameOf(kinds)}`, async () => {
      const { resources } = await stackOf(kinds);
      const all = resources.map(({ type, name, inputs }) => ({ type, name, props: inputs }));
      assert.deepEqual(await told(...all), []);
    });
  }
});
