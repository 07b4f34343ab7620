import { InitFailed, type UpdateRequest } from "../../../provider/protocol/provider.ts";
import { containsUnknown, type Properties } from "../../../provider/protocol/values.ts";
import { StatusError, type Query } from "./api.ts";
import { AwaitFailed, awaitReady } from "./await/await.ts";
import { fieldManager, fromCheckpoint, initialApiVersion, toCheckpoint } from "./checkpoint.ts";
import { message, type Cluster } from "./cluster.ts";
import { NoMatch } from "./discovery.ts";
import { applyIgnored, ownedByCreate, takeOver } from "./field-managers.ts";
import { isCustomResourceDefinition } from "./kinds.ts";
import {
  annotation,
  kindOf,
  list,
  name,
  namespace,
  qualifiedName,
  setField,
  text,
  toObject,
  type KubeObject,
} from "./object.ts";
import { normalize } from "./normalize.ts";

/** Applies new inputs to an object and waits until it is ready again; in a preview, as a dry run. */
export async function update(cluster: Cluster, request: UpdateRequest): Promise<Properties> {
  const { urn, olds, news, preview, timeout, ignoreChanges } = request;
  if (!preview && cluster.unreachable !== "") {
    throw new Error(`configured Kubernetes cluster is unreachable: ${cluster.unreachable}`);
  }
  const inputs = normalize(toObject(news));
  const blind = containsUnknown(inputs) || cluster.unreachable !== "";
  if (preview && (blind || !(await cluster.discovery.has(kindOf(inputs))))) return news;

  const { inputs: oldInputs, live: old } = fromCheckpoint(olds);
  const manager = fieldManager(olds, inputs);
  const state = (object: KubeObject): Properties =>
    toCheckpoint(inputs, object, news, initialApiVersion(olds, normalize(oldInputs)), manager);
  const say = (severity: "info" | "warning" | "debug" | "error", what: string): void => {
    cluster.engine.status(severity, urn, what);
  };

  try {
    const path = await cluster.discovery.collection(kindOf(inputs), namespace(inputs));
    const before = await cluster.api.get(`${path}/${name(old)}`);
    let outputs = await send(cluster, `${path}/${name(before)}`, {
      inputs,
      before,
      manager,
      preview,
      ignoreChanges,
    });
    if (!preview) {
      const { api, discovery, cancelled: signal } = cluster;
      outputs = await awaitReady({ api, discovery, inputs, outputs, before, timeout, signal, say });
      say("info", "");
      await relinquish(cluster, `${path}/${name(before)}`, outputs, fieldManager(olds, oldInputs), manager);
    }
    return state(outputs);
  } catch (error) {
    if (preview && error instanceof StatusError && error.code === 403) return news;
    if (error instanceof NoMatch) {
      throw new Error(
        `update of resource "${urn}" failed because the Kubernetes API server ` +
          "reported that the apiVersion for this resource does not exist. " +
          `Verify that any required CRDs have been created: ${error.message}`,
      );
    }
    const now = await live(cluster, old).catch((cause: unknown) => {
      throw new Error(
        `update of resource "${urn}" failed: ${message(error)}\nunable to get cluster state: ${message(cause)}`,
      );
    });
    const what =
      `the Kubernetes API server reported that "${qualifiedName(now)}" failed to fully initialize ` +
      `or become live: ${message(error)}`;
    const reasons = error instanceof AwaitFailed ? error.reasons : [];
    throw new InitFailed(what, { id: qualifiedName(now), outputs: state(now) }, [what, ...reasons]);
  }
}

interface Change {
  /** Changed in place, as the state is to hold what was sent. */
  inputs: KubeObject;
  before: KubeObject;
  manager: string;
  preview: boolean;
  ignoreChanges: readonly string[];
}

async function send(cluster: Cluster, path: string, change: Change): Promise<KubeObject> {
  const { inputs, manager, preview, ignoreChanges } = change;
  let { before } = change;
  const query: Query = {
    fieldManager: manager,
    fieldValidation: "Strict",
    ...(preview ? { dryRun: "All" } : {}),
  };
  const signal = cluster.cancelled;
  if (isCustomResourceDefinition(inputs)) {
    // Replaced as a whole, as `kubectl replace` does; the objects of its kind stay.
    setField(inputs, ["metadata", "resourceVersion"], text(before, "metadata", "resourceVersion"));
    return cluster.api.request("PUT", path, { query, body: inputs, signal });
  }
  if (!preview) before = await takeOverFields(cluster, path, before, manager);
  applyIgnored(inputs, before, ignoreChanges, manager);
  const force =
    cluster.patchForce ||
    annotation(inputs, "pulumi.com/patchForce") === "true" ||
    (preview && ownedByCreate(before)) ||
    list(before, "metadata", "managedFields").length === 0;
  try {
    return await cluster.api.request("PATCH", path, {
      query: { ...query, force: String(force) },
      body: inputs,
      contentType: "application/apply-patch+yaml",
      signal,
    });
  } catch (error) {
    if (!(error instanceof StatusError) || error.code !== 409) throw error;
    throw new Error(
      "server-side apply field conflict detected, see https://www.pulumi.com/registry/packages/kubernetes/" +
        "how-to-guides/managing-resources-with-server-side-apply/#handle-field-conflicts-on-existing-resources " +
        "for troubleshooting help\n" +
        `The resource managed by field manager "${manager}" had an apply conflict: ${error.message}`,
    );
  }
}

async function takeOverFields(
  cluster: Cluster,
  path: string,
  before: KubeObject,
  manager: string,
): Promise<KubeObject> {
  for (let tried = 0, now = before; ; tried++) {
    const body = takeOver(now, manager);
    if (!body) return now;
    const contentType = "application/json-patch+json";
    try {
      return await cluster.api.request("PATCH", path, { body, contentType, signal: cluster.cancelled });
    } catch (error) {
      // A controller wrote to the object in between.
      if (!(error instanceof StatusError) || error.code !== 409 || tried === 5) throw error;
      now = await cluster.api.get(path);
    }
  }
}

/** Gives up the fields of the manager that the object had before, where its annotation has changed the name. */
async function relinquish(
  cluster: Cluster,
  path: string,
  object: KubeObject,
  former: string,
  manager: string,
): Promise<void> {
  if (former === manager) return;
  const body: KubeObject = {
    apiVersion: object.apiVersion ?? null,
    kind: object.kind ?? null,
    metadata: { name: name(object), ...(namespace(object) === "" ? {} : { namespace: namespace(object) }) },
  };
  const query = { fieldManager: former };
  await cluster.api.request("PATCH", path, { query, body, contentType: "application/apply-patch+yaml" });
}

async function live(cluster: Cluster, object: KubeObject): Promise<KubeObject> {
  const path = await cluster.discovery.collection(kindOf(object), namespace(object));
  return cluster.api.get(`${path}/${name(object)}`);
}
