import { awaitTimeout, skipsAwait, waitFor } from "../annotations.ts";
import type { Api } from "../api.ts";
import type { Discovery } from "../discovery.ts";
import { apiVersion, kindOf, name, namespace, type KubeObject } from "../object.ts";
import type { Severity } from "../../../../provider/protocol/engine.ts";
import { customReadiness } from "./conditions.ts";
import { follow } from "./follow.ts";
import { ingress, service } from "./network.ts";
import { pod } from "./pods.ts";
import type { Readiness, Scene, Verdict } from "./readiness.ts";
import { persistentVolume, persistentVolumeClaim, resourceQuota, secret } from "./storage.ts";
import { daemonSet, deployment, job, replicationController, statefulSet } from "./workloads.ts";

/** The kinds that are waited for, as in the official plugin; every other is ready when it is there. */
const READINESS: Readonly<Record<string, Readiness>> = {
  "apps/v1/DaemonSet": daemonSet,
  "apps/v1/Deployment": deployment,
  "apps/v1/StatefulSet": statefulSet,
  "batch/v1/Job": job,
  "networking.k8s.io/v1/Ingress": ingress,
  "v1/PersistentVolume": persistentVolume,
  "v1/PersistentVolumeClaim": persistentVolumeClaim,
  "v1/Pod": pod,
  "v1/ReplicationController": replicationController,
  "v1/ResourceQuota": resourceQuota,
  "v1/Secret": secret,
  "v1/Service": service,
};
const POLL = 250;

/** The object is there, but not as it was waited for. */
export class AwaitFailed extends Error {
  override readonly name = "AwaitFailed";
  readonly object: KubeObject;
  readonly reasons: string[];
  constructor(message: string, object: KubeObject, reasons: string[]) {
    super(message);
    this.object = object;
    this.reasons = reasons;
  }
}

/** What is needed to wait for an object. */
export interface Waiting {
  api: Api;
  discovery: Discovery;
  inputs: KubeObject;
  outputs: KubeObject;
  before?: KubeObject | undefined;
  /** Seconds from the resource's options, 0 for none. */
  timeout: number;
  signal: AbortSignal;
  say: (severity: Severity, message: string) => void;
}

/**
 * Waits until an object that was created or changed is ready.
 *
 * @returns the object as it is then.
 * @throws AwaitFailed
 */
export async function awaitReady(waiting: Waiting): Promise<KubeObject> {
  const { api, discovery, inputs, outputs, before, say } = waiting;
  if (skipsAwait(inputs)) return outputs;
  const conditions = waitFor(outputs);
  const readiness = conditions ? customReadiness(conditions) : readinessOf(outputs);
  if (!readiness) return outputs;
  const scene: Scene = { api, discovery, outputs, before, reading: false, say };
  const limit = conditions ? undefined : readiness.timeout;
  const ended = AbortSignal.timeout(limit ?? awaitTimeout(waiting.timeout, inputs));
  const signal = AbortSignal.any([ended, waiting.signal]);
  const collection = await discovery.collection(kindOf(outputs), namespace(outputs));
  let object = outputs;
  let verdict: Verdict = { ready: false };
  try {
    await follow(
      api,
      collection,
      outputs,
      { poll: readiness.polled ? POLL : undefined, signal },
      async (now) => {
        if (now.gone) return false;
        object = now.object;
        try {
          verdict = await readiness.check(object, scene);
        } catch (error) {
          // A server that is away for a moment is no reason to give up.
          verdict = { ready: false };
          say("warning", error instanceof Error ? error.message : String(error));
        }
        return verdict.ready || verdict.fatal === true;
      },
    );
  } catch (error) {
    if (!signal.aborted) throw error;
    if (verdict.enough === true) return object;
    const own = name(object);
    const message = waiting.signal.aborted
      ? `Resource operation was cancelled for "${own}"`
      : limit !== undefined
        ? `Timeout occurred polling for '${own}'`
        : conditions
          ? "timed out waiting for the condition"
          : `'${own}' timed out waiting to be Ready`;
    throw new AwaitFailed(message, object, await reasons(verdict));
  }
  if (!verdict.ready) throw failed(object, await reasons(verdict));
  return object;
}

/**
 * Looks whether an object that is read for a refresh is ready.
 *
 * @throws AwaitFailed
 */
export async function checkReady(waiting: Omit<Waiting, "timeout" | "signal">): Promise<void> {
  const { api, discovery, inputs, outputs, say } = waiting;
  const readiness = readinessOf(outputs);
  if (!readiness?.onRead || skipsAwait(inputs)) return;
  const scene: Scene = { api, discovery, outputs, before: undefined, reading: true, say };
  const verdict = await readiness.check(outputs, scene);
  if (!verdict.ready) throw failed(outputs, await reasons(verdict));
}

function readinessOf(object: KubeObject): Readiness | undefined {
  const kind = kindOf(object);
  return READINESS[`${apiVersion(kind)}/${kind.kind}`];
}

function failed(object: KubeObject, reasons: string[]): AwaitFailed {
  return new AwaitFailed(`Resource '${name(object)}' was created but failed to initialize`, object, reasons);
}

async function reasons(verdict: Verdict): Promise<string[]> {
  return (await verdict.errors?.()) ?? [];
}
