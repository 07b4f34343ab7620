import assert from "node:assert/strict";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { ROOT } from "../../sandbox/paths.ts";
import { Cluster, type KubernetesObject } from "../support/cluster.ts";
import { run } from "../support/command.ts";
import type { Rendered } from "../support/render.ts";
import { testSandbox } from "../support/sandbox.ts";

const NAMESPACE = "manifests-test";

interface Workload extends KubernetesObject {
  spec: { template: { metadata: { labels: Record<string, string> }; spec: object } };
}

/** What mocha has to know of when it reads this file: the names of the tests. */
const stacks = await rendered();

describe("the API server, asked for a dry run with strict validation", function () {
  this.timeout(1_200_000);
  let cluster: Cluster;
  const asked = new Map<string, Promise<string | undefined>>();

  before(async () => {
    cluster = await Cluster.of(await testSandbox());
    await removeNamespace();
    const namespace = stacks[0]?.objects.find(({ kind }) => kind === "Namespace") ?? assert.fail();
    await cluster.call("POST", "/api/v1/namespaces", namespace);
    // No pod is admitted before there is a service account for it.
    while ((await answer(pod({ containers: [container] })))?.includes("serviceaccount")) await sleep(50);
  });

  after(async () => {
    await removeNamespace();
    cluster.close();
  });

  for (const { name, objects } of stacks) {
    it(`accepts every object of the stack with ${name}, and each of its pods`, async () => {
      const others = objects.filter(({ kind }) => kind !== "Namespace");
      const workloads = others.filter(isWorkload);
      // At the least the migrations and a server.
      assert.ok(workloads.length >= 2);
      const pods = workloads.map(({ spec, metadata }) => pod(spec.template.spec, metadata.name));
      const answers = await Promise.all([...others, ...pods].map(once));
      assert.deepEqual(
        answers.filter((error) => error !== undefined),
        [],
      );
    });
  }

  it("refuses a field that Kubernetes does not know", async () => {
    const [{ objects } = assert.fail()] = stacks;
    const service = objects.find(({ kind }) => kind === "Service") ?? assert.fail();
    const wrong = { ...service, spec: { ...(service.spec as object), sessionAfinity: "ClientIP" } };
    assert.match((await answer(wrong)) ?? "", /unknown field \\"spec\.sessionAfinity\\"/);
    const route = objects.find(({ kind }) => kind === "HTTPRoute") ?? assert.fail();
    const bad = { ...route, spec: { ...(route.spec as object), hostname: "a.example" } };
    assert.match((await answer(bad)) ?? "", /unknown field \\"spec\.hostname\\"/);
  });

  it("refuses a pod that the standard restricted does not admit", async () => {
    assert.equal(await answer(pod({ containers: [container] })), undefined);
    const securityContext = {
      ...container.securityContext,
      privileged: true,
      allowPrivilegeEscalation: true,
    };
    for (const wrong of [
      { ...container, securityContext },
      { name: "main", image: "example.org/none" },
    ]) {
      const refusal = (await answer(pod({ containers: [wrong] }))) ?? "";
      assert.match(refusal, /violates PodSecurity \\"restricted:latest\\"/);
    }
  });

  /** The server's answer to an object, which many stacks have. */
  async function once(object: KubernetesObject): Promise<string | undefined> {
    const key = JSON.stringify(object);
    const known = asked.get(key) ?? answer(object);
    asked.set(key, known);
    return await known;
  }

  /** Why the server refuses an object, or undefined where it does not. */
  async function answer(object: KubernetesObject): Promise<string | undefined> {
    const path = await cluster.pathOf(object.apiVersion, object.kind, NAMESPACE);
    try {
      await cluster.call("POST", `${path}?dryRun=All&fieldValidation=Strict`, object);
      return undefined;
    } catch (error) {
      return String(error);
    }
  }

  async function removeNamespace(): Promise<void> {
    const path = `/api/v1/namespaces/${NAMESPACE}`;
    const there = () => cluster.call("GET", path).then(Boolean, () => false);
    if (await there()) await cluster.call("DELETE", path);
    while (await there()) await sleep(50);
  }
});

const container = {
  name: "main",
  image: "example.org/none",
  securityContext: {
    allowPrivilegeEscalation: false,
    runAsNonRoot: true,
    capabilities: { drop: ["ALL"] },
    seccompProfile: { type: "RuntimeDefault" },
  },
};

function pod(spec: object, name = "alone"): KubernetesObject {
  return { apiVersion: "v1", kind: "Pod", metadata: { name, namespace: NAMESPACE }, spec };
}

function isWorkload(object: KubernetesObject): object is Workload {
  return (object as Partial<Workload>).spec?.template !== undefined;
}

async function rendered(): Promise<Rendered[]> {
  const { code, stdout, stderr } = await run(process.execPath, [
    join(ROOT, "test/support/render.ts"),
    NAMESPACE,
  ]);
  assert.equal(code, 0, stderr);
  return JSON.parse(stdout) as Rendered[];
}
