import type {
  KubernetesObject as Client,
  V1ConfigMap,
  V1Container,
  V1EnvVar,
  V1Ingress,
  V1KeyToPath,
  V1PersistentVolumeClaim,
  V1Pod,
  V1Secret,
  V1Service,
  V1Volume,
} from "@kubernetes/client-node";

/** A type of the Kubernetes client as the API server sends it: plain objects, and times as texts. */
type Json<T> = T extends Date ? string : T extends object ? { [K in keyof T]: Json<T[K]> } : T;

/** What every object of the cluster is. */
export type KubernetesObject = Json<Client>;
export type ConfigMap = Json<V1ConfigMap>;
export type Container = Json<V1Container>;
export type EnvVar = Json<V1EnvVar>;
export type Ingress = Json<V1Ingress>;
export type KeyToPath = Json<V1KeyToPath>;
export type PersistentVolumeClaim = Json<V1PersistentVolumeClaim>;
export type Pod = Json<V1Pod>;
export type Secret = Json<V1Secret>;
export type Service = Json<V1Service>;
export type VolumeSource = Json<V1Volume>;
export type DownwardFile = NonNullable<NonNullable<VolumeSource["downwardAPI"]>["items"]>[number];

/** Something that is not there yet and may come: what wants it is tried again. The message says what is missing. */
export class NotYet extends Error {
  override readonly name = "NotYet";
}

/** Something that no waiting mends, because what was deployed is wrong. The message says what, without its value. */
export class Fault extends Error {
  override readonly name = "Fault";
}

/** "namespace/name", by which people and files know a pod. */
export function podName({ metadata }: Pod): string {
  return `${metadata?.namespace ?? "default"}/${metadata?.name ?? ""}`;
}

/** Whether a node would run the pod: it has been placed, and nobody has deleted it. */
export function isPlaced({ metadata, spec }: Pod): boolean {
  return spec?.nodeName !== undefined && metadata?.deletionTimestamp === undefined;
}

/** Whether the pod is one of a Job, which kwok completes at once, whatever its process still does. */
export function isOfJob(pod: Pod): boolean {
  return owner(pod)?.kind === "Job";
}

/** Whether a later pod of the same workload has the same name. */
export function hasStableName(pod: Pod): boolean {
  return [undefined, "StatefulSet"].includes(owner(pod)?.kind);
}

/** The name of the Deployment, StatefulSet or Job that keeps the pod; its own where nothing does. */
export function workloadOf(pod: Pod): string {
  const { kind, name = "" } = owner(pod) ?? {};
  const hash = pod.metadata?.labels?.["pod-template-hash"];
  if (kind === "ReplicaSet" && hash !== undefined && name.endsWith(`-${hash}`))
    return name.slice(0, -hash.length - 1);
  return kind === undefined ? (pod.metadata?.name ?? "") : name;
}

function owner({ metadata }: Pod) {
  return metadata?.ownerReferences?.find(({ controller }) => controller === true);
}

/** The parts of an image's reference that say what is in it: "postgres" and "18.1" of "docker.io/library/postgres:18.1@sha256:…". */
export function imageOf({ image = "" }: Container): { name: string; tag: string } {
  const [reference = ""] = image.split("@");
  const [name = "", tag = ""] = (reference.split("/").at(-1) ?? "").split(":");
  return { name, tag };
}
