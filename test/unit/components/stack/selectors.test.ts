import assert from "node:assert/strict";
import {
  containersOf,
  kindOf,
  kubernetes,
  type KubernetesObject,
  type Labels,
  matches,
  ofKind,
  type Service,
  workloadsOf,
} from "../../../support/objects.ts";
import { everyKind, nameOf, stackOf } from "../../../support/kinds.ts";

const RECOMMENDED = ["name", "instance", "component", "part-of", "managed-by"].map(
  (label) => `app.kubernetes.io/${label}`,
);

for (const kinds of everyKind) {
  describe(`labels and selectors with ${nameOf(kinds)}`, () => {
    it("are the labels that Kubernetes recommends, on every object and every pod", async () => {
      const { resources } = await stackOf(kinds);
      const objects = kubernetes(resources);
      const all = [
        ...objects.map(({ name, inputs }) => ({
          name,
          labels: (inputs as unknown as KubernetesObject).metadata.labels,
        })),
        ...workloadsOf(resources).map(({ resource, spec }) => ({
          name: resource,
          labels: spec.template.metadata.labels,
        })),
      ];
      for (const { name, labels } of all) {
        assert.deepEqual(
          RECOMMENDED.filter((label) => labels?.[label] === undefined),
          [],
          name,
        );
        assert.equal(labels!["app.kubernetes.io/part-of"], "attic-stack", name);
        assert.equal(labels!["app.kubernetes.io/managed-by"], "pulumi", name);
        assert.equal(labels!["app.kubernetes.io/instance"], "test", name);
      }
    });

    it("put every object into the stack's namespace", async () => {
      const { resources } = await stackOf(kinds);
      for (const resource of kubernetes(resources).filter((one) => kindOf(one) !== "Namespace")) {
        const { metadata } = resource.inputs as unknown as KubernetesObject;
        assert.equal(metadata.namespace, "attic", resource.name);
      }
    });

    it("let each workload, disruption budget and spread find its own pods and no others", async () => {
      const { resources } = await stackOf(kinds, kinds.store === "volume" ? {} : { server: { replicas: 3 } });
      const pods = workloadsOf(resources);
      const selectors = pods.flatMap(({ resource, spec }) => [
        ...(spec.selector ? [{ resource, selector: spec.selector }] : []),
        ...(spec.template.spec.topologySpreadConstraints ?? []).map(({ labelSelector }) => ({
          resource,
          selector: labelSelector as { matchLabels: Labels },
        })),
      ]);
      for (const { resource, selector } of selectors) {
        const found = pods.filter(({ spec }) => matches(selector, spec.template.metadata.labels));
        assert.deepEqual(
          found.map((one) => one.resource),
          [resource],
        );
      }
      const budgets = ofKind<{ spec: { selector: { matchLabels: Labels } } }>(
        resources,
        "PodDisruptionBudget",
      );
      assert.equal(budgets.length, kinds.store === "volume" ? 0 : 1);
      for (const { spec } of budgets)
        assert.deepEqual(
          pods
            .filter((pod) => matches(spec.selector, pod.spec.template.metadata.labels))
            .map((pod) => pod.resource),
          ["attic"],
        );
    });

    it("lead every Service to a port that the pods of one workload name", async () => {
      const { resources } = await stackOf(kinds);
      for (const { metadata, spec } of ofKind<Service>(resources, "Service")) {
        const found = workloadsOf(resources).filter((pod) =>
          matches({ matchLabels: spec!.selector as Labels }, pod.spec.template.metadata.labels),
        );
        assert.deepEqual(
          found.map(({ resource }) => resource),
          [metadata!.name],
        );
        const names = containersOf(found[0]!.spec.template.spec).flatMap(({ ports = [] }) =>
          ports.map(({ name }) => name),
        );
        for (const { targetPort } of spec!.ports!)
          assert.ok(names.includes(targetPort as string), metadata!.name);
      }
    });

    it("name no two objects of a kind alike", async () => {
      const { resources } = await stackOf(kinds);
      const names = kubernetes(resources).map((resource) => {
        const { metadata } = resource.inputs as unknown as KubernetesObject;
        return `${kindOf(resource)} ${metadata.name ?? `${resource.name} (made up)`}`;
      });
      assert.equal(new Set(names).size, names.length);
    });
  });
}
