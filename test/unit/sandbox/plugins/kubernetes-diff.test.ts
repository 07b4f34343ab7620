import assert from "node:assert/strict";
import { forceNewFields } from "../../../../sandbox/plugins/kubernetes/force-new.ts";
import type { KubeObject } from "../../../../sandbox/plugins/kubernetes/object.ts";
import { detailedDiff, mergePatch } from "../../../../sandbox/plugins/kubernetes/patch.ts";
import { Unknown } from "../../../../provider/protocol/values.ts";

const FIXED = { configMaps: false, secrets: false };

function diff(before: KubeObject, after: KubeObject): Record<string, string> {
  const patch = mergePatch(before, after);
  const found = detailedDiff(patch, before, after, forceNewFields({ ...before, ...after }, FIXED));
  return Object.fromEntries([...found].map(([path, { kind }]) => [path, kind]));
}

const ROOTS: readonly [apiVersion: string, kind: string, path: string, replaces: boolean][] = [
  ["apps/v1", "Deployment", "spec.replicas", false],
  ["apps/v1", "Deployment", "spec.selector.matchLabels.app", true],
  ["apps/v1", "StatefulSet", "spec.serviceName", true],
  ["apps/v1", "StatefulSet", "spec.volumeClaimTemplates", true],
  ["apps/v1", "StatefulSet", "spec.revisionHistoryLimit", true],
  ["apps/v1", "StatefulSet", "spec.template.spec.hostname", false],
  ["apps/v1", "DaemonSet", "spec.selector", true],
  ["batch/v1", "Job", "spec.template.spec.hostname", true],
  ["batch/v1", "Job", "spec.backoffLimit", false],
  ["batch/v1", "CronJob", "spec.schedule", false],
  ["v1", "Pod", "spec.hostname", true],
  ["v1", "Pod", "spec.activeDeadlineSeconds", false],
  ["v1", "Service", "spec.clusterIP", true],
  ["v1", "Service", "spec.type", false],
  ["v1", "Secret", "data.key", true],
  ["v1", "Secret", "type", true],
  ["v1", "ConfigMap", "data.key", true],
  ["v1", "ConfigMap", "binaryData.key", true],
  ["v1", "ConfigMap", "metadata.labels.app", false],
  ["v1", "ConfigMap", "metadata.namespace", true],
  ["v1", "PersistentVolumeClaim", "spec.storageClassName", true],
  ["v1", "PersistentVolumeClaim", "spec.resources.requests.storage", false],
  ["v1", "PersistentVolume", "spec.hostPath.path", true],
  ["v1", "PersistentVolume", "spec.capacity.storage", false],
  ["v1", "ResourceQuota", "spec.scopes", true],
  ["rbac.authorization.k8s.io/v1", "RoleBinding", "roleRef.name", true],
  ["rbac.authorization.k8s.io/v1", "RoleBinding", "subjects", false],
  ["storage.k8s.io/v1", "StorageClass", "provisioner", true],
  ["policy/v1", "PodDisruptionBudget", "spec.minAvailable", false],
  ["networking.k8s.io/v1", "NetworkPolicy", "spec.policyTypes", false],
  ["gateway.networking.k8s.io/v1", "HTTPRoute", "metadata.name", true],
];

describe("a change of", () => {
  for (const [apiVersion, kind, path, replaces] of ROOTS) {
    it(`${kind}'s ${path} ${replaces ? "replaces" : "updates"}`, () => {
      const at = (value: string): KubeObject =>
        path
          .split(".")
          .reduceRight<KubeObject | string>((inner, key) => ({ [key]: inner }), value) as KubeObject;
      const found = diff({ apiVersion, kind, ...at("old") }, { apiVersion, kind, ...at("new") });
      assert.deepEqual(found, { [path]: replaces ? "update-replace" : "update" });
    });
  }

  it("a pod's container replaces by the fields that a pod cannot change", () => {
    const pod = (image: string, name: string): KubeObject => ({
      apiVersion: "v1",
      kind: "Pod",
      spec: { containers: [{ image, name }] },
    });
    assert.deepEqual(diff(pod("a", "x"), pod("b", "y")), {
      "spec.containers[0].image": "update-replace",
      "spec.containers[0].name": "update",
    });
  });

  it("data updates where the provider or the object says that it may", () => {
    const map = { apiVersion: "v1", kind: "ConfigMap" };
    const secret = { apiVersion: "v1", kind: "Secret" };
    const mutable = { configMaps: true, secrets: true };
    assert.ok(!forceNewFields(map, mutable).includes(".data"));
    assert.ok(!forceNewFields(secret, mutable).includes(".data"));
    assert.ok(forceNewFields(secret, mutable).includes(".type"));
    assert.ok(forceNewFields({ ...map, immutable: true }, mutable).includes(".data"));
    assert.ok(forceNewFields({ ...secret, immutable: true }, mutable).includes(".data"));
  });
});

describe("the detailed diff", () => {
  it("tells what is added, changed and gone, with keys that hold dots in quotes", () => {
    assert.deepEqual(
      diff(
        { metadata: { labels: { a: "1", "example.org/b": "1" } }, list: ["x", "y"] },
        { metadata: { labels: { a: "2", "c.d": "1" } }, list: ["x"] },
      ),
      {
        "metadata.labels.a": "update",
        'metadata.labels["example.org/b"]': "delete",
        'metadata.labels["c.d"]': "add",
        "list[1]": "delete",
      },
    );
  });

  it("goes into the items of a list", () => {
    assert.deepEqual(
      diff({ env: [{ name: "A", value: "1", x: 1 }] }, { env: [{ name: "A", value: "2" }, { name: "B" }] }),
      { "env[0].value": "update", "env[0].x": "delete", "env[1]": "add" },
    );
  });

  it("takes an unknown for a change", () => {
    assert.deepEqual(diff({ a: "1" }, { a: new Unknown(), b: new Unknown() }), { a: "update", b: "add" });
  });

  it("is empty where nothing has changed", () => {
    assert.deepEqual(mergePatch({ a: { b: [1] } }, { a: { b: [1] } }), {});
  });
});
