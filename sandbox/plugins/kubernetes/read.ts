import { InitFailed, type ReadRequest, type State } from "../../../provider/protocol/provider.ts";
import { StatusError } from "./api.ts";
import { AwaitFailed, checkReady } from "./await/await.ts";
import { fieldManager, fromCheckpoint, initialApiVersion, markSecrets, toCheckpoint } from "./checkpoint.ts";
import { message, type Cluster } from "./cluster.ts";
import { NoMatch } from "./discovery.ts";
import { isBuiltIn } from "./kinds.ts";
import {
  apiVersion,
  copy,
  kindOf,
  kindOfType,
  name,
  namespace,
  parseId,
  removeField,
  setField,
  setNamespace,
  text,
  toObject,
  toProperties,
  type KubeObject,
} from "./object.ts";
import { normalize, prune } from "./normalize.ts";

const GONE: State = { id: "", outputs: {} };

/** Reads an object for a refresh, or, where nothing is known of it but its id, for an import. */
export async function read(cluster: Cluster, request: ReadRequest): Promise<State> {
  const { urn, type, id, outputs: oldOutputs, inputs: given } = request;
  if (cluster.unreachable !== "") return unreachable(cluster, request);
  const place = parseId(id);
  if (place.name === "") {
    throw new Error(
      `failed to read resource because of a failure to parse resource name from request ID: ${id}`,
    );
  }
  const { live: oldLive } = fromCheckpoint(oldOutputs);
  const oldInputs = normalize(toObject(given));
  const importing = text(oldInputs, "kind") === "" && text(oldLive, "kind") === "";
  if (text(oldInputs, "kind") === "") {
    const kind = importing ? kindOfType(type) : kindOf(oldLive);
    oldInputs.apiVersion = apiVersion(kind);
    oldInputs.kind = kind.kind;
    if (name(oldInputs) === "") setField(oldInputs, ["metadata", "name"], place.name);
    if (namespace(oldInputs) === "") setNamespace(oldInputs, place.namespace);
  }

  let live: KubeObject;
  try {
    const path = await cluster.discovery.collection(kindOf(oldInputs), namespace(oldInputs));
    live = await cluster.api.get(`${path}/${place.name}`);
  } catch (error) {
    const gone = error instanceof NoMatch || (error instanceof StatusError && error.code === 404);
    if (gone) return GONE;
    throw error;
  }

  const liveInputs = importing ? importedInputs(live, oldInputs) : prune(live, oldInputs);
  const manager = fieldManager(oldOutputs, oldInputs);
  const outputs = toCheckpoint(liveInputs, live, given, initialApiVersion(oldOutputs, oldInputs), manager);
  const inputs = toProperties(liveInputs);
  markSecrets(inputs, given);
  const state: State = { id, outputs, inputs };
  if (importing) return state;
  try {
    const { api, discovery, engine } = cluster;
    await checkReady({
      api,
      discovery,
      inputs: oldInputs,
      outputs: live,
      say: (severity, what) => {
        engine.status(severity, urn, what);
      },
    });
  } catch (error) {
    if (!(error instanceof AwaitFailed)) throw error;
    throw new InitFailed(message(error), state, [message(error), ...error.reasons]);
  }
  return state;
}

/** The inputs that a program would have to give for an object as it is. */
function importedInputs(live: KubeObject, known: KubeObject): KubeObject {
  const inputs = isBuiltIn(live) ? copy(live) : prune(live, known);
  if (isBuiltIn(live)) delete inputs.status;
  for (const key of ["creationTimestamp", "generation", "managedFields", "resourceVersion", "uid"]) {
    removeField(inputs, "metadata", key);
  }
  for (const key of [
    "deployment.kubernetes.io/revision",
    "kubectl.kubernetes.io/last-applied-configuration",
  ]) {
    removeField(inputs, "metadata", "annotations", key);
  }
  return inputs;
}

function unreachable(cluster: Cluster, { urn, id, outputs, inputs }: ReadRequest): State {
  const { engine } = cluster;
  engine.log("warning", urn, `configured Kubernetes cluster is unreachable: ${cluster.unreachable}`);
  if (cluster.deleteUnreachable) {
    const what =
      "configured Kubernetes cluster is unreachable and the `deleteUnreachable` option is enabled. " +
      "Deleting the unreachable resource from Pulumi state";
    engine.log("info", urn, what);
    return GONE;
  }
  if (cluster.skipUpdateUnreachable) {
    const what =
      "configured Kubernetes cluster is unreachable and the `skipUnreachable` option is enabled. " +
      "Returned data could not reflect the actual cluster configuration.";
    engine.log("info", urn, what);
    return { id, outputs, inputs };
  }
  throw new Error(
    "failed to read resource state due to unreachable cluster. If the cluster was " +
      "deleted, you can remove this resource from Pulumi state by rerunning the operation with the " +
      'PULUMI_K8S_DELETE_UNREACHABLE environment variable set to "true"',
  );
}
