import { awaitTimeout, skipsAwait } from "../annotations.ts";
import { apiVersion, kindOf, list, name, namespace, type KubeObject } from "../object.ts";
import { AwaitFailed, type Waiting } from "./await.ts";
import { follow } from "./follow.ts";

/** Kinds whose deletion is not waited for where `pulumi.com/skipAwait` says so (pulumi-kubernetes#1232). */
const SKIPPABLE = new Set([
  "apps/v1/DaemonSet",
  "apps/v1/Deployment",
  "apps/v1/StatefulSet",
  "batch/v1/Job",
  "v1/Namespace",
  "v1/Pod",
  "v1/ReplicationController",
]);

/**
 * Waits until an object that was deleted is gone.
 *
 * @throws AwaitFailed with the object as it was last seen.
 */
export async function awaitGone(waiting: Waiting): Promise<void> {
  const { api, discovery, inputs, outputs, say } = waiting;
  const kind = kindOf(outputs);
  if (skipsAwait(inputs) && SKIPPABLE.has(`${apiVersion(kind)}/${kind.kind}`)) return;
  const ended = AbortSignal.timeout(awaitTimeout(waiting.timeout, inputs));
  const signal = AbortSignal.any([ended, waiting.signal]);
  const collection = await discovery.collection(kind, namespace(outputs));
  let object: KubeObject = outputs;
  try {
    await follow(api, collection, outputs, { signal }, (now) => {
      if (!now.gone) object = now.object;
      return Promise.resolve(now.gone);
    });
  } catch (error) {
    if (!signal.aborted) throw error;
    const finalizers = list(object, "metadata", "finalizers").map(String).join(", ");
    say("warning", `finalizers might be preventing deletion (${finalizers})`);
    const message = waiting.signal.aborted
      ? `Resource operation was cancelled for "${name(object)}"`
      : "timed out waiting for the condition";
    throw new AwaitFailed(message, object, []);
  }
}
