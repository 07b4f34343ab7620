import { readdir, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import type { Deployment, StepEventMetadata, Stack } from "@pulumi/pulumi/automation/index.js";
import { Api, ApiError } from "../control-plane/api.ts";
import { certificateOf, provideIdentity } from "../control-plane/identity.ts";
import { writeFileAtomically } from "../support/files.ts";
import type { Sandbox } from "./sandbox.ts";

interface Inputs {
  apiVersion?: string;
  kind?: string;
  metadata?: { name?: string; namespace?: string };
}

interface Resource {
  urn: string;
  type: string;
  inputs?: Inputs;
}

interface PendingOperation {
  type: "creating" | "updating" | "deleting" | "reading" | "importing";
  resource: Resource;
}

/** What a run could not create, as far as it knows, and when it began. */
interface NotCreated {
  /** ISO 8601. */
  began: string;
  resources: Resource[];
}

const notCreatedFile = (folder: string): string => join(folder, "not-created.json");

/**
 * Keeps for the next run what this one could not create. Where the connection was lost, the server may have made it
 * all the same.
 *
 * @param failed what the engine says of the steps that failed.
 */
export async function keepNotCreated(
  { folder }: Sandbox,
  began: Date,
  failed: readonly StepEventMetadata[],
): Promise<void> {
  const resources = failed
    .filter(({ op, type }) => op === "create" && type.startsWith("kubernetes:"))
    .map(({ urn, type, new: created }) => {
      const { apiVersion = "", kind = "", metadata = {} } = (created?.inputs ?? {}) as Inputs;
      return { urn, type, inputs: { apiVersion, kind, metadata } };
    });
  if (resources.length === 0) return;
  const kept: NotCreated = { began: began.toISOString(), resources };
  await writeFileAtomically(notCreatedFile(folder), JSON.stringify(kept));
}

async function readNotCreated(folder: string): Promise<NotCreated> {
  try {
    return JSON.parse(await readFile(notCreatedFile(folder), "utf8")) as NotCreated;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
    return { began: "", resources: [] };
  }
}

/**
 * Frees a stack of what a run left that did not end well: its lock, and the operations that it had begun. What it was
 * creating may be there or not, and the next run would refuse to create it again; in a sandbox, where nobody
 * else makes anything, it is taken away.
 */
export async function recover(stack: Stack, sandbox: Sandbox): Promise<void> {
  if ((await locks(sandbox.folder)) > 0) await stack.cancel();
  const state: Deployment = await stack.exportStack();
  const deployment = state.deployment as { pending_operations?: PendingOperation[]; resources?: Resource[] };
  const pending = deployment.pending_operations ?? [];
  const { began, resources } = await readNotCreated(sandbox.folder);
  const known = new Set(deployment.resources?.map(({ urn }) => urn));
  const lost = resources.filter(({ urn }) => !known.has(urn));
  if (pending.length > 0 || lost.length > 0) await removeAll(sandbox, pending, lost, new Date(began));
  await rm(notCreatedFile(sandbox.folder), { force: true });
  if (pending.length === 0) return;
  deployment.pending_operations = [];
  await stack.importStack(state);
}

async function removeAll(
  sandbox: Sandbox,
  pending: readonly PendingOperation[],
  lost: readonly Resource[],
  began: Date,
): Promise<void> {
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
    for (const { inputs = {} } of lost) await remove(api, inputs, began);
  } finally {
    api.close();
  }
}

async function locks(folder: string): Promise<number> {
  const found = await readdir(join(folder, "state/.pulumi/locks"), {
    recursive: true,
    withFileTypes: true,
  }).catch(() => []);
  return found.filter((entry) => entry.isFile()).length;
}

/** @param since an object that was there before is left alone. */
async function remove(api: Api, object: Inputs, since?: Date): Promise<void> {
  const { apiVersion, kind, metadata } = object;
  if (apiVersion === undefined || metadata?.name === undefined) return;
  const root = `${apiVersion.includes("/") ? "/apis" : "/api"}/${apiVersion}`;
  const { resources } = JSON.parse(await api.call("GET", root)) as {
    resources: { name: string; kind: string; namespaced: boolean }[];
  };
  const resource = resources.find((entry) => entry.kind === kind && !entry.name.includes("/"));
  if (resource === undefined) return;
  const place = resource.namespaced ? `/namespaces/${metadata.namespace ?? "default"}` : "";
  const path = `${root}${place}/${resource.name}/${metadata.name}`;
  try {
    if (since && (await creation(api, path)) < wholeSecond(since)) return;
    // The object itself goes at once. In the foreground it would wait for a collector that may not know its kind yet.
    await api.call("DELETE", `${path}?propagationPolicy=Background`);
  } catch (error) {
    if (!(error instanceof ApiError && error.status === 404)) throw error;
  }
}

/** When an object was made; Kubernetes counts in whole seconds. */
async function creation(api: Api, path: string): Promise<number> {
  const { metadata } = JSON.parse(await api.call("GET", path)) as { metadata: { creationTimestamp: string } };
  return Date.parse(metadata.creationTimestamp);
}

function wholeSecond(time: Date): number {
  return Math.floor(time.getTime() / 1000) * 1000;
}
