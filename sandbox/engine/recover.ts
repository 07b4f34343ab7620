import { readdir } from "node:fs/promises";
import { join } from "node:path";
import type { Deployment, Stack } from "@pulumi/pulumi/automation/index.js";
import { Api, ApiError } from "../control-plane/api.ts";
import { certificateOf, provideIdentity } from "../control-plane/identity.ts";
import type { Sandbox } from "./sandbox.ts";

interface PendingOperation {
  type: "creating" | "updating" | "deleting" | "reading" | "importing";
  resource: {
    type: string;
    inputs?: { apiVersion?: string; kind?: string; metadata?: { name?: string; namespace?: string } };
  };
}

/**
 * Frees a stack of what a killed engine left: its lock, and the operations that it had begun. What it was
 * creating may be there or not, and the next run would refuse to create it again; in a sandbox, where nobody
 * else makes anything, it is taken away.
 */
export async function recover(stack: Stack, sandbox: Sandbox): Promise<void> {
  if ((await locks(sandbox.folder)) > 0) await stack.cancel();
  const state: Deployment = await stack.exportStack();
  const deployment = state.deployment as { pending_operations?: PendingOperation[] };
  const pending = deployment.pending_operations ?? [];
  if (pending.length === 0) return;

  const identity = await provideIdentity(join(sandbox.folder, "control-plane"));
  const api = new Api(
    sandbox.controlPlane.server,
    (await certificateOf(identity)) ?? "",
    identity.tokens.admin,
  );
  try {
    for (const { type, resource } of pending) {
      if (type === "creating" && resource.type.startsWith("kubernetes:"))
        await remove(api, resource.inputs ?? {});
    }
  } finally {
    api.close();
  }
  deployment.pending_operations = [];
  await stack.importStack(state);
}

async function locks(folder: string): Promise<number> {
  const found = await readdir(join(folder, "state/.pulumi/locks"), {
    recursive: true,
    withFileTypes: true,
  }).catch(() => []);
  return found.filter((entry) => entry.isFile()).length;
}

async function remove(api: Api, object: NonNullable<PendingOperation["resource"]["inputs"]>): Promise<void> {
  const { apiVersion, kind, metadata } = object;
  if (apiVersion === undefined || metadata?.name === undefined) return;
  const root = `${apiVersion.includes("/") ? "/apis" : "/api"}/${apiVersion}`;
  const { resources } = JSON.parse(await api.call("GET", root)) as {
    resources: { name: string; kind: string; namespaced: boolean }[];
  };
  const resource = resources.find((entry) => entry.kind === kind && !entry.name.includes("/"));
  if (resource === undefined) return;
  const place = resource.namespaced ? `/namespaces/${metadata.namespace ?? "default"}` : "";
  try {
    // The object itself goes at once. In the foreground it would wait for a collector that may not know its kind yet.
    await api.call(
      "DELETE",
      `${root}${place}/${resource.name}/${metadata.name}?propagationPolicy=Background`,
    );
  } catch (error) {
    if (!(error instanceof ApiError && error.status === 404)) throw error;
  }
}
