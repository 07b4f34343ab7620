import { InitFailed, type DeleteRequest } from "../../../provider/protocol/provider.ts";
import { deletionPropagation } from "./annotations.ts";
import { StatusError } from "./api.ts";
import { AwaitFailed } from "./await/await.ts";
import { awaitGone } from "./await/deletion.ts";
import { fieldManager, fromCheckpoint, initialApiVersion, toCheckpoint } from "./checkpoint.ts";
import type { Cluster } from "./cluster.ts";
import { NoMatch } from "./discovery.ts";
import { kindOf, namespace, parseId, qualifiedName } from "./object.ts";

/** Deletes an object, with what it owns first, and waits until it is gone. */
export async function remove(cluster: Cluster, request: DeleteRequest): Promise<void> {
  const { urn, id, outputs, timeout } = request;
  if (cluster.unreachable !== "") {
    unreachable(cluster, urn);
    return;
  }
  const { inputs, live } = fromCheckpoint(outputs);
  const { api, discovery, engine, cancelled: signal } = cluster;
  try {
    const path = await discovery.collection(kindOf(live), namespace(live));
    await api.request("DELETE", `${path}/${parseId(id).name}`, {
      body: { kind: "DeleteOptions", apiVersion: "v1", propagationPolicy: deletionPropagation(inputs) },
      signal,
    });
  } catch (error) {
    if (error instanceof NoMatch || (error instanceof StatusError && error.code === 404)) return;
    throw error;
  }
  try {
    await awaitGone({
      api,
      discovery,
      inputs,
      outputs: live,
      timeout,
      signal,
      say: (severity, what) => {
        engine.log(severity, urn, what);
      },
    });
  } catch (error) {
    if (!(error instanceof AwaitFailed)) throw error;
    const last = error.object;
    const manager = fieldManager(outputs, inputs);
    const state = toCheckpoint(live, last, outputs, initialApiVersion(outputs, {}), manager);
    throw new InitFailed(error.message, { id: qualifiedName(last), outputs: state }, [error.message]);
  }
}

function unreachable({ engine, deleteUnreachable, unreachable }: Cluster, urn: string): void {
  engine.log("warning", urn, `configured Kubernetes cluster is unreachable: ${unreachable}`);
  if (!deleteUnreachable) {
    throw new Error(
      "configured Kubernetes cluster is unreachable. If the cluster was deleted, " +
        "you can remove this resource from Pulumi state by rerunning the operation with the " +
        'PULUMI_K8S_DELETE_UNREACHABLE environment variable set to "true"',
    );
  }
  const what =
    "configured Kubernetes cluster is unreachable and the `deleteUnreachable` option is enabled. " +
    "Deleting the unreachable resource from Pulumi state";
  engine.log("info", urn, what);
}
