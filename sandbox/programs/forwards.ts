import { ApiError } from "../control-plane/api.ts";
import type { Cluster } from "./cluster.ts";
import { podName, type Pod } from "./objects.ts";

const PLURAL = "clusterportforwards";
const PATH = `/apis/kwok.x-k8s.io/v1alpha1/${PLURAL}`;
const LABEL = "attic-stack.invalid/programs";

/**
 * The objects by which kwok leads a port-forward to a process of this machine: one for each pod. They are not in the pod's
 * namespace, which is the stack's own.
 */
export class Forwards {
  readonly #cluster: Cluster;
  readonly #made = new Map<string, string>();

  constructor(cluster: Cluster) {
    this.#cluster = cluster;
  }

  /** Takes away what an earlier daemon left for pods that are gone. */
  async clean(pods: readonly Pod[]): Promise<void> {
    const list = await this.#cluster.ask((api) => api.call("GET", `${PATH}?labelSelector=${LABEL}`));
    const { items } = JSON.parse(list) as { items: { metadata: { name: string } }[] };
    const kept = new Set(pods.map(nameFor));
    for (const { metadata } of items) if (!kept.has(metadata.name)) await this.#delete(metadata.name);
  }

  /** Leads a port of a pod to a port of this machine. */
  async set(pod: Pod, containerPort: number, port: number): Promise<void> {
    const name = nameFor(pod);
    const to = `${containerPort} ${port}`;
    if (this.#made.get(name) === to) return;
    const [namespace = "", podsName = ""] = podName(pod).split("/");
    const manifest = {
      apiVersion: "kwok.x-k8s.io/v1alpha1",
      kind: "ClusterPortForward",
      metadata: { name, labels: { [LABEL]: "true" } },
      spec: {
        selector: { matchNamespaces: [namespace], matchNames: [podsName] },
        forwards: [{ ports: [containerPort], target: { address: "127.0.0.1", port } }],
      },
    };
    await this.#cluster.ask((api) => api.apply(manifest, PLURAL));
    this.#made.set(name, to);
  }

  async remove(pod: Pod): Promise<void> {
    const name = nameFor(pod);
    if (this.#made.delete(name)) await this.#delete(name);
  }

  async #delete(name: string): Promise<void> {
    try {
      await this.#cluster.ask((api) => api.call("DELETE", `${PATH}/${name}`));
    } catch (error) {
      if (!(error instanceof ApiError && error.status === 404)) throw error;
    }
  }
}

/** A namespace has no dot in its name, so that no two pods have the same one. */
function nameFor(pod: Pod): string {
  return podName(pod).replace("/", ".");
}
