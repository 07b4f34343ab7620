import { setTimeout as sleep } from "node:timers/promises";
import { InitFailed, type CreateRequest, type State } from "../../../provider/protocol/provider.ts";
import { containsUnknown } from "../../../provider/protocol/values.ts";
import { StatusError } from "./api.ts";
import { AwaitFailed, awaitReady } from "./await/await.ts";
import { fieldManager, toCheckpoint } from "./checkpoint.ts";
import { message, type Cluster } from "./cluster.ts";
import { NoMatch } from "./discovery.ts";
import { isCustomResourceDefinition } from "./kinds.ts";
import {
  annotation,
  kindOf,
  name,
  namespace,
  qualifiedName,
  text,
  toObject,
  type KubeObject,
} from "./object.ts";

/** The first of five waits for a namespace or a definition that another resource is just making. */
const FIRST_RETRY = 100;
const RETRIES = 5;

/** Creates an object and waits until it is ready; in a preview, lets the API server say what would come of it. */
export async function create(cluster: Cluster, request: CreateRequest): Promise<State> {
  const { urn, inputs: properties, preview, timeout } = request;
  if (!preview && cluster.unreachable !== "") {
    throw new Error(`configured Kubernetes cluster is unreachable: ${cluster.unreachable}`);
  }
  const inputs = toObject(properties);
  const asGiven: State = { id: "", outputs: properties };
  const blind = containsUnknown(inputs) || cluster.unreachable !== "";
  if (preview && (blind || !(await cluster.discovery.has(kindOf(inputs))))) return asGiven;

  const manager = fieldManager(properties, inputs);
  const state = (object: KubeObject): State => ({
    id: preview ? "" : qualifiedName(object),
    outputs: toCheckpoint(inputs, object, properties, text(inputs, "apiVersion"), manager),
  });
  const say = (severity: "info" | "warning" | "debug" | "error", what: string): void => {
    cluster.engine.status(severity, urn, what);
  };
  let outputs: KubeObject;
  try {
    outputs = await withRetries(cluster, preview, say, () => send(cluster, inputs, manager, preview));
  } catch (error) {
    if (preview && previewCannotTell(error)) return asGiven;
    throw explain(error, urn, inputs);
  }
  if (preview) {
    // A preview that shows an empty status would have programs read it.
    delete outputs.status;
    return state(outputs);
  }
  if (isCustomResourceDefinition(inputs)) cluster.discovery.reset();
  try {
    const { api, discovery, cancelled: signal } = cluster;
    outputs = await awaitReady({ api, discovery, inputs, outputs, timeout, signal, say });
  } catch (error) {
    if (!(error instanceof AwaitFailed)) throw explain(error, urn, inputs);
    const what =
      `resource "${urn}" was successfully created, but the Kubernetes API server ` +
      `reported that it failed to fully initialize or become live: ${error.message}`;
    throw new InitFailed(what, state(error.object), [what, ...error.reasons]);
  }
  say("info", "");
  return state(outputs);
}

async function send(
  cluster: Cluster,
  inputs: KubeObject,
  manager: string,
  preview: boolean,
): Promise<KubeObject> {
  const path = await cluster.discovery.collection(kindOf(inputs), namespace(inputs));
  const query = { fieldValidation: "Strict", ...(preview ? { dryRun: "All" } : {}) };
  if (!cluster.upsert) {
    // The first update takes these fields over for server-side apply, from this very name.
    return cluster.api.request("POST", path, {
      query: { ...query, fieldManager: "pulumi-kubernetes" },
      body: inputs,
      signal: cluster.cancelled,
    });
  }
  const force = cluster.patchForce || preview || annotation(inputs, "pulumi.com/patchForce") === "true";
  return cluster.api.request("PATCH", `${path}/${name(inputs)}`, {
    query: { ...query, fieldManager: manager, force: String(force) },
    body: inputs,
    contentType: "application/apply-patch+yaml",
    signal: cluster.cancelled,
  });
}

/** Tries again where the namespace or the kind is not there yet: resources are often made in no order. */
async function withRetries(
  cluster: Cluster,
  preview: boolean,
  say: (severity: "info", what: string) => void,
  attempt: () => Promise<KubeObject>,
): Promise<KubeObject> {
  for (let tried = 0; ; tried++) {
    try {
      return await attempt();
    } catch (error) {
      const missing = error instanceof NoMatch || (error instanceof StatusError && error.code === 404);
      if (preview || !missing || tried === RETRIES) throw error;
      say("info", `Retry #${tried}; creation failed: ${message(error)}`);
      await sleep(FIRST_RETRY * 2 ** tried, undefined, { signal: cluster.cancelled });
    }
  }
}

/** What says nothing of the manifest: a namespace that comes with the update, a lack of rights, a name in use. */
function previewCannotTell(error: unknown): boolean {
  if (!(error instanceof StatusError)) return false;
  return (
    error.code === 403 ||
    error.reason === "AlreadyExists" ||
    (error.code === 404 && error.kind === "namespaces") ||
    (error.code === 400 && error.message.includes("does not support dry run"))
  );
}

function explain(error: unknown, urn: string, inputs: KubeObject): Error {
  if (error instanceof NoMatch) {
    const kind = `${text(inputs, "apiVersion")}/${text(inputs, "kind")}`;
    return new Error(
      `creation of resource "${urn}" with kind ${kind} failed because the Kubernetes API server ` +
        "reported that the apiVersion for this resource does not exist. " +
        `Verify that any required CRDs have been created: ${error.message}`,
    );
  }
  const exists = error instanceof StatusError && error.reason === "AlreadyExists";
  return new Error(
    `resource "${urn}" was not successfully created by the Kubernetes API server: ${message(error)}` +
      (exists ? ALREADY_EXISTS : ""),
  );
}

const ALREADY_EXISTS = `

The resource already exists in the cluster. This can happen when:

  - Renaming a Pulumi resource: use an alias to preserve the identity,
    or use deleteBeforeReplace if the resource needs replacement.
  - Managing an existing resource: use a Patch resource (e.g. NamespacePatch)
    to manage specific fields without owning the resource lifecycle.
  - Adopting a resource into Pulumi: use \`pulumi import\`. Note that
    protected resources (e.g. kube-system) cannot be deleted on destroy.
  - Intentional upsert: set upsertExistingObjects on the provider to allow
    server-side apply to update existing objects on create.`;
