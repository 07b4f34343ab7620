import { setTimeout as sleep } from "node:timers/promises";
import type { Cluster } from "./cluster.ts";

const FORWARDS = "/apis/kwok.x-k8s.io/v1alpha1/clusterportforwards";
const CONTAINER_PORT = 8080;
const NAME = "attic";
const labels = { app: NAME };

/** A Service and pods in a namespace of their own, whose port kwok leads to ports of this machine. */
export class Pods {
  readonly namespace: string;
  readonly service = NAME;
  readonly #cluster: Cluster;
  readonly #names: string[] = [];

  private constructor(cluster: Cluster, namespace: string) {
    this.#cluster = cluster;
    this.namespace = namespace;
  }

  static async in(cluster: Cluster, namespace: string): Promise<Pods> {
    const body = { apiVersion: "v1", kind: "Namespace", metadata: { name: namespace } };
    await cluster.call("POST", "/api/v1/namespaces", body);
    const pods = new Pods(cluster, namespace);
    await pods.#settled();
    return pods;
  }

  async addService(spec: Readonly<Record<string, unknown>> = {}): Promise<void> {
    await this.#cluster.call("POST", this.#path("services"), {
      apiVersion: "v1",
      kind: "Service",
      metadata: { name: NAME },
      spec: { selector: labels, ports: [{ port: 80, targetPort: "http" }], ...spec },
    });
  }

  /** Adds a pod of the Service, which is soon ready. @param url of what answers in its place. */
  async add(name: string, url: string): Promise<void> {
    this.#names.push(name);
    await this.#cluster.call("POST", FORWARDS, {
      apiVersion: "kwok.x-k8s.io/v1alpha1",
      kind: "ClusterPortForward",
      metadata: { name: `${this.namespace}.${name}` },
      spec: {
        selector: { matchNamespaces: [this.namespace], matchNames: [name] },
        forwards: [
          { ports: [CONTAINER_PORT], target: { address: "127.0.0.1", port: Number(new URL(url).port) } },
        ],
      },
    });
    const ports = [{ name: "http", containerPort: CONTAINER_PORT }];
    await this.#cluster.call("POST", this.#path("pods"), {
      apiVersion: "v1",
      kind: "Pod",
      metadata: { name, labels },
      spec: { containers: [{ name: "main", image: "example.org/none", ports }] },
    });
  }

  /** Waits until a pod is ready. */
  async ready(name: string): Promise<void> {
    for (;;) {
      const { status } = (await this.#cluster.call("GET", `${this.#path("pods")}/${name}`)) as {
        status?: { conditions?: { type: string; status: string }[] };
      };
      if (status?.conditions?.some(({ type, status }) => type === "Ready" && status === "True")) return;
      await sleep(20);
    }
  }

  /** Lets a pod be there and no longer ready, as one is that is about to go. */
  async unready(name: string): Promise<void> {
    const status = { conditions: [{ type: "Ready", status: "False" }] };
    const path = `${this.#path("pods")}/${name}/status`;
    await this.#cluster.call("PATCH", path, { status }, "application/merge-patch+json");
  }

  /** Takes a pod away at once. */
  async remove(name: string): Promise<void> {
    await this.#cluster.call("DELETE", `${this.#path("pods")}/${name}?gracePeriodSeconds=0`);
  }

  /** A kubeconfig of a user who has these rights in the namespace, and no others. Holds a secret, `token`. */
  async user(
    name: string,
    rules: readonly { resources: string[]; verbs: string[] }[],
    server: { kubeconfig: string },
  ): Promise<{ kubeconfig: string; token: string }> {
    const metadata = { name };
    const call = (kind: string, body: object, group = "") =>
      this.#cluster.call("POST", this.#path(kind, group), { metadata, ...body });
    await call("serviceaccounts", { apiVersion: "v1", kind: "ServiceAccount" });
    const apiVersion = "rbac.authorization.k8s.io/v1";
    const roles = rules.map((rule) => ({ apiGroups: [""], ...rule }));
    await call("roles", { apiVersion, kind: "Role", rules: roles }, apiVersion);
    const roleRef = { apiGroup: "rbac.authorization.k8s.io", kind: "Role", name };
    const subjects = [{ kind: "ServiceAccount", name, namespace: this.namespace }];
    await call("rolebindings", { apiVersion, kind: "RoleBinding", roleRef, subjects }, apiVersion);
    const request = { apiVersion: "authentication.k8s.io/v1", kind: "TokenRequest", spec: {} };
    const path = `${this.#path("serviceaccounts")}/${name}/token`;
    const { status } = (await this.#cluster.call("POST", path, request)) as { status: { token: string } };
    const config = JSON.parse(server.kubeconfig) as { users: { user: { token: string } }[] };
    for (const { user } of config.users) user.token = status.token;
    return { kubeconfig: JSON.stringify(config), token: status.token };
  }

  async close(): Promise<void> {
    for (const name of this.#names)
      await this.#cluster.call("DELETE", `${FORWARDS}/${this.namespace}.${name}`);
    await this.#cluster.call("DELETE", `/api/v1/namespaces/${this.namespace}`);
  }

  #path(kind: string, group = ""): string {
    return `${group === "" ? "/api/v1" : `/apis/${group}`}/namespaces/${this.namespace}/${kind}`;
  }

  /** A pod is refused until its namespace has the account that it runs as. */
  async #settled(): Promise<void> {
    for (;;) {
      const { items } = (await this.#cluster.call("GET", this.#path("serviceaccounts"))) as {
        items: unknown[];
      };
      if (items.length > 0) return;
      await sleep(20);
    }
  }
}
