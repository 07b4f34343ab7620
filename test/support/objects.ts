import assert from "node:assert/strict";
import type k8s from "@pulumi/kubernetes";
import type { Registered } from "./mocks.ts";

/** Kubernetes' own objects, with every value known and every key that may be missing marked so. */
type Partly<T> = T extends (infer E)[]
  ? Partly<E>[]
  : T extends object
    ? { [K in keyof T]?: Partly<T[K]> }
    : T;
export type PodSpec = Partly<k8s.types.output.core.v1.PodSpec>;
export type Container = Partly<k8s.types.output.core.v1.Container>;
export type Policy = Partly<k8s.types.output.networking.v1.NetworkPolicy>;
export type Service = Partly<k8s.types.output.core.v1.Service>;
export type Labels = Record<string, string>;

export interface KubernetesObject {
  apiVersion: string;
  kind: string;
  metadata: { name?: string; namespace?: string; labels?: Labels; annotations?: Labels };
}
interface Workload extends KubernetesObject {
  spec: {
    replicas?: number;
    serviceName?: string;
    selector?: { matchLabels?: Labels };
    strategy?: unknown;
    template: { metadata: { labels: Labels; annotations?: Labels }; spec: PodSpec };
  };
}

const WORKLOADS = ["Deployment", "StatefulSet", "DaemonSet", "Job", "CronJob", "Pod"];

/** The last part of a type: `StatefulSet`, `RandomPassword`. */
export const kindOf = ({ type }: Registered): string => type.split(":").pop()!;

/** The one resource of a kind and a name. */
export function find(resources: readonly Registered[], kind: string, name: string): Registered {
  const found = resources.filter((resource) => kindOf(resource) === kind && resource.name === name);
  assert.equal(found.length, 1, `${kind} ${name}`);
  return found[0]!;
}

export function ofKind<T extends object = KubernetesObject>(
  resources: readonly Registered[],
  kind: string,
): T[] {
  return resources.filter((resource) => kindOf(resource) === kind).map(({ inputs }) => inputs as T);
}

/** Everything that goes to the cluster. */
export const kubernetes = (resources: readonly Registered[]): Registered[] =>
  resources.filter(({ type }) => type.startsWith("kubernetes:"));

export interface Pods extends Workload {
  /** Name of the resource. */
  resource: string;
}

/** Everything that makes pods. */
export function workloadsOf(resources: readonly Registered[]): Pods[] {
  return kubernetes(resources)
    .filter((resource) => WORKLOADS.includes(kindOf(resource)))
    .map(({ name, inputs }) => ({ ...(inputs as unknown as Workload), resource: name }));
}

export function workload(resources: readonly Registered[], kind: string, name: string): Workload {
  return find(resources, kind, name).inputs as unknown as Workload;
}

/** All containers of a pod. */
export const containersOf = (spec: PodSpec): Container[] => [
  ...(spec.initContainers ?? []),
  ...(spec.containers ?? []),
];

/** The one container of a pod with a name. */
export function container(spec: PodSpec, name: string): Container {
  const found = containersOf(spec).filter((one) => one.name === name);
  assert.equal(found.length, 1, name);
  return found[0]!;
}

/** The plain variables of a container. */
export function variables(of: Container): Labels {
  const env = (of.env ?? []) as { name: string; value?: string }[];
  return Object.fromEntries(env.flatMap(({ name, value }) => (value === undefined ? [] : [[name, value]])));
}

/** The data of the one ConfigMap or Secret that a resource name stands for. */
export function dataOf(resources: readonly Registered[], kind: "ConfigMap" | "Secret", name: string): Labels {
  const { data, stringData } = find(resources, kind, name).inputs as { data?: Labels; stringData?: Labels };
  return { ...data, ...stringData };
}

/** Whether labels have all that a selector asks for; an empty one asks for nothing. */
export function matches(selector: { matchLabels?: Labels } | undefined, labels: Labels): boolean {
  return Object.entries(selector?.matchLabels ?? {}).every(([key, value]) => labels[key] === value);
}
