import assert from "node:assert/strict";
import type { StepEventMetadata } from "@pulumi/pulumi/automation/index.js";
import { keepNotCreated } from "../../sandbox/engine/recover.ts";
import { openStack } from "../../sandbox/engine/stack.ts";
import type { Api } from "../../sandbox/plugins/kubernetes/api.ts";
import { testSandbox } from "../support/sandbox.ts";
import { cluster } from "./plugins/plugin-stack.ts";

const CONFIG_MAPS = "/api/v1/namespaces/default/configmaps";

/** The engine's event of a ConfigMap that could not be created. */
function failure(name: string, op = "create"): StepEventMetadata {
  const type = "kubernetes:core/v1:ConfigMap";
  const inputs = { apiVersion: "v1", kind: "ConfigMap", metadata: { name, namespace: "default" }, data: {} };
  const urn = `urn:pulumi:recover::attic-stack::${type}::${name}`;
  return { op, urn, type, provider: "", new: { type, urn, inputs } } as unknown as StepEventMetadata;
}

describe("a stack of which the last run lost the API server", () => {
  let api: Api;
  const open = async () => await openStack(await testSandbox(), "recover", () => Promise.resolve(), {});
  const remains = async (name: string) => (await api.find(`${CONFIG_MAPS}/${name}`)) !== undefined;
  const make = async (name: string) =>
    await api.request("POST", CONFIG_MAPS, {
      body: { apiVersion: "v1", kind: "ConfigMap", metadata: { name } },
    });

  before(async () => {
    api = await cluster();
    for (const name of ["made", "updated", "of-another-run"]) await make(name);
  });

  after(async () => {
    for (const name of ["updated", "of-another-run"]) await api.request("DELETE", `${CONFIG_MAPS}/${name}`);
  });

  it("is freed of what was made though the engine never heard so", async () => {
    const began = new Date(Date.now() - 60_000);
    const failed = [failure("made"), failure("never-made"), failure("updated", "update")];
    await keepNotCreated(await testSandbox(), began, failed);
    await open();
    assert.deepEqual([await remains("made"), await remains("updated")], [false, true]);
  });

  it("keeps what was there before that run began", async () => {
    await keepNotCreated(await testSandbox(), new Date(Date.now() + 60_000), [failure("of-another-run")]);
    await open();
    assert.equal(await remains("of-another-run"), true);
  });

  it("takes away nothing when it is opened once more", async () => {
    await make("made");
    await open();
    assert.equal(await remains("made"), true);
    await api.request("DELETE", `${CONFIG_MAPS}/made`);
  });
});
