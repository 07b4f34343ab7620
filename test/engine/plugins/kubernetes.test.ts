import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import kubernetes from "@pulumi/kubernetes";
import type { PulumiFn } from "@pulumi/pulumi/automation/index.js";
import type { Api } from "../../../sandbox/plugins/kubernetes/api.ts";
import { PROJECT } from "../../../sandbox/engine/stack-file.ts";
import { testSandbox } from "../../support/sandbox.ts";
import { cluster, PluginStack } from "./plugin-stack.ts";

const NAMESPACE = "plugin-tests";
const metadata = { namespace: NAMESPACE };
const selector = { matchLabels: { app: "x" } };
const template = {
  metadata: { labels: { app: "x" } },
  spec: {
    containers: [{ name: "main", image: "example.org/none", resources: { requests: { cpu: "0.5" } } }],
  },
};

/** A program of which a test changes the resources between two runs. */
function stackOf(name: string): { open: () => Promise<PluginStack>; program: (declare: () => void) => void } {
  let current: () => void = () => undefined;
  const run: PulumiFn = () => {
    current();
    return Promise.resolve();
  };
  return {
    open: () => PluginStack.open(name, run),
    program: (declare) => {
      current = declare;
    },
  };
}

describe("the Kubernetes plugin", () => {
  let api: Api;
  const path = (kind: string, name = ""): string => `/api/v1/namespaces/${NAMESPACE}/${kind}/${name}`;

  before(async () => {
    api = await cluster();
    await removeNamespace();
    const body = { apiVersion: "v1", kind: "Namespace", metadata: { name: NAMESPACE } };
    await api.request("POST", "/api/v1/namespaces", { body });
  });

  after(() => removeNamespace());

  /** Takes the namespace away, and waits: until it is gone it cannot be made again. */
  async function removeNamespace(): Promise<void> {
    const namespace = `/api/v1/namespaces/${NAMESPACE}`;
    if ((await api.find(namespace)) === undefined) return;
    await api.request("DELETE", namespace);
    while ((await api.find(namespace)) !== undefined) await sleep(100);
  }

  it("creates, waits, changes nothing the second time, updates, replaces and deletes", async () => {
    const { open, program } = stackOf("plugin-life");
    const declare = (change: { replicas: number; data: string; app: string }) => () => {
      new kubernetes.core.v1.ConfigMap("settings", { metadata, data: { key: change.data } });
      new kubernetes.core.v1.ConfigMap("named", {
        metadata: { ...metadata, name: "named" },
        data: { key: change.data },
      });
      new kubernetes.apps.v1.Deployment("server", {
        metadata,
        spec: {
          replicas: change.replicas,
          selector: { matchLabels: { app: change.app } },
          template: { ...template, metadata: { labels: { app: change.app } } },
        },
      });
      new kubernetes.batch.v1.Job("task", {
        metadata,
        spec: { template: { spec: { ...template.spec, restartPolicy: "Never" } } },
      });
    };
    program(declare({ replicas: 1, data: "1", app: "x" }));
    const stack = await open();
    const created = await stack.up();
    assert.deepEqual(created.steps, ["create named", "create server", "create settings", "create task"]);
    const server = await stack.resource("server");
    assert.match(server.id ?? "", /^plugin-tests\/server-[0-9a-f]{8}$/);
    assert.equal((server.outputs.status as { readyReplicas: number }).readyReplicas, 1);
    assert.deepEqual((await stack.up()).steps, []);

    program(declare({ replicas: 2, data: "1", app: "x" }));
    const preview = await stack.preview();
    assert.deepEqual([preview.steps, preview.changed], [["update server"], { server: ["spec.replicas"] }]);
    assert.deepEqual((await stack.up()).steps, ["update server"]);

    program(declare({ replicas: 2, data: "2", app: "y" }));
    const replaced = await stack.up();
    assert.deepEqual(replaced.steps, ["delete-and-replace named", "replace server", "replace settings"]);
    assert.deepEqual(replaced.changed.settings, ["data.key"]);
    assert.deepEqual((await stack.preview()).steps, []);

    const gone = await stack.destroy();
    assert.deepEqual(gone.steps, ["delete named", "delete server", "delete settings", "delete task"]);
    assert.deepEqual((await api.get(`/apis/apps/v1/namespaces/${NAMESPACE}/deployments`)).items, []);
  });

  it("sees in a refresh what somebody else has changed or deleted, and puts it right", async () => {
    const { open, program } = stackOf("plugin-refresh");
    program(() => {
      for (const name of ["kept", "lost"]) {
        new kubernetes.core.v1.ConfigMap(name, { metadata: { ...metadata, name }, data: { key: "1" } });
      }
    });
    const stack = await open();
    await stack.up();
    const contentType = "application/merge-patch+json";
    await api.request("PATCH", path("configmaps", "kept"), { body: { data: { key: "2" } }, contentType });
    await api.request("DELETE", path("configmaps", "lost"));
    assert.deepEqual((await stack.preview()).steps, []);
    await stack.refresh();
    const preview = await stack.preview();
    assert.deepEqual(preview.steps, ["create lost", "delete-and-replace kept"]);
    assert.deepEqual(preview.changed, { kept: ["data.key"] });
    assert.ok((await stack.up()).ok);
    assert.deepEqual((await api.get(path("configmaps", "kept"))).data, { key: "1" });
    await stack.destroy();
  });

  it("imports what is there", async () => {
    const body = {
      apiVersion: "v1",
      kind: "ConfigMap",
      metadata: { name: "there", labels: { a: "b" } },
      data: { key: "1" },
    };
    await api.request("POST", path("configmaps"), { body });
    const { open, program } = stackOf("plugin-import");
    const { labels } = body.metadata;
    program(() => {
      const args = { metadata: { ...metadata, name: "there", labels }, data: { key: "1" } };
      new kubernetes.core.v1.ConfigMap("there", args, { import: `${NAMESPACE}/there` });
    });
    const stack = await open();
    const imported = await stack.up();
    assert.deepEqual([imported.steps, imported.errors], [["import there"], []]);
    assert.deepEqual((await stack.preview()).steps, []);
    await stack.destroy();
    assert.equal(await api.find(path("configmaps", "there")), undefined);
  });

  it("refuses an unknown field and an impossible value in the preview", async () => {
    const { open, program } = stackOf("plugin-strict");
    program(() => {
      const ports = [{ prot: 80, port: 80 }];
      new kubernetes.core.v1.Service("unknown", { metadata, spec: { ports } });
    });
    const stack = await open();
    const unknown = await stack.preview();
    assert.equal(unknown.ok, false);
    assert.match(unknown.errors.join("\n"), /strict decoding error: unknown field "spec\.ports\[0\]\.prot"/);

    program(() => {
      const args = { metadata, spec: { selector: { matchLabels: { app: "other" } }, template } };
      new kubernetes.apps.v1.Deployment("impossible", args);
    });
    const impossible = await stack.preview();
    assert.match(impossible.errors.join("\n"), /`selector` does not match template `labels`/);
  });

  it("does not create what is there already", async () => {
    const { open, program } = stackOf("plugin-exists");
    program(() => new kubernetes.core.v1.Namespace("default", { metadata: { name: "default" } }));
    const stack = await open();
    const { ok, errors, printed } = await stack.up();
    assert.equal(ok, false, printed);
    assert.match(
      errors.join("\n"),
      /namespaces "default" already exists\n\nThe resource already exists in the/,
    );
  });

  it("says which kind the cluster does not have", async () => {
    const { open, program } = stackOf("plugin-kind");
    program(() => {
      const kind = { apiVersion: "example.org/v1", kind: "Cheese" };
      new kubernetes.apiextensions.CustomResource("cheese", { ...kind, metadata });
    });
    const stack = await open();
    const { errors } = await stack.up();
    assert.match(errors.join("\n"), /no matches for kind "Cheese" in version "example\.org\/v1"/);
  });

  it("keeps a Job that failed, with the reason, and tries again", async () => {
    const { open, program } = stackOf("plugin-job");
    const declare = (nodeSelector: Record<string, string>, activeDeadlineSeconds: number) => () => {
      const spec = { ...template.spec, restartPolicy: "Never", nodeSelector };
      new kubernetes.batch.v1.Job("task", {
        metadata,
        spec: { activeDeadlineSeconds, template: { spec } },
      });
    };
    program(declare({ none: "such" }, 1));
    const stack = await open();
    const failed = await stack.up();
    assert.equal(failed.ok, false);
    assert.match(
      failed.errors.join("\n"),
      /\[DeadlineExceeded\] Job was active longer than specified deadline/,
    );
    const { initErrors } = await stack.resource("task");
    assert.equal(initErrors?.at(-1), "[DeadlineExceeded] Job was active longer than specified deadline");
    program(declare({}, 60));
    assert.deepEqual((await stack.up()).steps, ["replace task"]);
    await stack.destroy();
  });

  it("ends the wait for a Deployment at its time-out", async () => {
    const { open, program } = stackOf("plugin-timeout");
    program(() => {
      const spec = { ...template, spec: { ...template.spec, nodeSelector: { none: "such" } } };
      const annotations = { "pulumi.com/timeoutSeconds": "2" };
      const args = { metadata: { ...metadata, annotations }, spec: { selector, template: spec } };
      new kubernetes.apps.v1.Deployment("server", args);
    });
    const stack = await open();
    const { errors } = await stack.up();
    assert.match(errors.join("\n"), /timed out waiting to be Ready/);
    assert.ok(
      (await stack.resource("server")).initErrors?.includes("Minimum number of live Pods was not attained"),
    );
    await stack.destroy();
  });

  it("keeps the data of a Secret out of the state's clear text", async () => {
    const { open, program } = stackOf("plugin-secret");
    program(() => new kubernetes.core.v1.Secret("key", { metadata, stringData: { key: "correct horse" } }));
    const stack = await open();
    await stack.up();
    const { folder } = await testSandbox();
    const state = await readFile(join(folder, `state/.pulumi/stacks/${PROJECT}/plugin-secret.json`), "utf8");
    assert.ok(state.includes("kubernetes:core/v1:Secret"));
    assert.ok(!state.includes("correct horse"));
    assert.ok(!state.includes(Buffer.from("correct horse").toString("base64")));
    await stack.destroy();
  });
});
