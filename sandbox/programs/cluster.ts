import { readFile } from "node:fs/promises";
import { Api, ApiError } from "../control-plane/api.ts";
import type { Data, Sources } from "./environment.ts";
import {
  type KubernetesObject,
  NotYet,
  type ConfigMap,
  type Ingress,
  type PersistentVolumeClaim,
  type Pod,
  type Secret,
  type Service,
} from "./objects.ts";
import { type Connection, Watch } from "./watch.ts";

/** A route of Gateway API, as far as it says which name leads to which Service. */
export interface HttpRoute extends KubernetesObject {
  spec?: {
    hostnames?: string[];
    rules?: { backendRefs?: { kind?: string; name: string; namespace?: string; port?: number }[] }[];
  };
}

/** What the daemon sees of a sandbox's cluster. */
export class Cluster implements Connection {
  readonly pods: Watch<Pod>;
  readonly services: Watch<Service>;
  readonly claims: Watch<PersistentVolumeClaim>;
  readonly routes: Watch<HttpRoute>;
  readonly ingresses: Watch<Ingress>;
  readonly #kubeconfig: string;
  #api: Promise<Api> | undefined;

  /** @param kubeconfig path of the administrator's kubeconfig, as the sandbox writes it: JSON. */
  constructor(kubeconfig: string, changed: () => void) {
    this.#kubeconfig = kubeconfig;
    this.pods = new Watch(this, "/api/v1/pods", changed);
    this.services = new Watch(this, "/api/v1/services", changed);
    this.claims = new Watch(this, "/api/v1/persistentvolumeclaims", changed);
    this.routes = new Watch(this, "/apis/gateway.networking.k8s.io/v1/httproutes", changed);
    this.ingresses = new Watch(this, "/apis/networking.k8s.io/v1/ingresses", changed);
  }

  /** Whether everything has been seen once. */
  get synced(): boolean {
    return this.#watches.every(({ synced }) => synced);
  }

  get #watches() {
    return [this.pods, this.services, this.claims, this.routes, this.ingresses];
  }

  async follow(signal: AbortSignal): Promise<void> {
    await Promise.all(this.#watches.map((watch) => watch.follow(signal)));
  }

  async api(): Promise<Api> {
    this.#api ??= connect(this.#kubeconfig);
    return await this.#api;
  }

  lost(): void {
    void this.#api?.then(
      (api) => {
        api.close();
      },
      () => undefined,
    );
    this.#api = undefined;
  }

  /**
   * Asks the API server.
   *
   * @throws NotYet where it is not there; ApiError where it refuses.
   */
  async ask<T>(question: (api: Api) => Promise<T>): Promise<T> {
    try {
      return await question(await this.api());
    } catch (error) {
      if (error instanceof ApiError && error.status < 500) throw error;
      this.lost();
      throw new NotYet("the cluster does not answer");
    }
  }

  /** Reads what the containers of a pod take from Secrets and ConfigMaps; what does not exist is left out. */
  async sourcesOf(pod: Pod): Promise<Sources> {
    const namespace = pod.metadata?.namespace ?? "";
    const names = sourceNames(pod);
    const read = async (plural: string, name: string) =>
      [name, await this.#data(`/api/v1/namespaces/${namespace}/${plural}/${name}`)] as const;
    const [secrets, configMaps] = await Promise.all([
      Promise.all([...names.secrets].map((name) => read("secrets", name))),
      Promise.all([...names.configMaps].map((name) => read("configmaps", name))),
    ]);
    const there = (entries: (readonly [string, Data | undefined])[]) =>
      new Map(entries.flatMap(([name, data]) => (data ? [[name, data] as const] : [])));
    return { secrets: there(secrets), configMaps: there(configMaps) };
  }

  async #data(path: string): Promise<Data | undefined> {
    try {
      const text = await this.ask((api) => api.call("GET", path));
      const { kind, data, binaryData } = JSON.parse(text) as ConfigMap & Secret;
      const encoded = (values: Record<string, string> | undefined, encoding: "utf8" | "base64") =>
        Object.entries(values ?? {}).map(([key, value]) => [key, Buffer.from(value, encoding)] as const);
      return new Map([
        ...encoded(data, kind === "Secret" ? "base64" : "utf8"),
        ...encoded(binaryData, "base64"),
      ]);
    } catch (error) {
      if (error instanceof ApiError && error.status === 404) return undefined;
      throw error;
    }
  }
}

/** The names of all Secrets and ConfigMaps that a pod refers to. */
export function sourceNames(pod: Pod): { secrets: Set<string>; configMaps: Set<string> } {
  const secrets = new Set<string | undefined>();
  const configMaps = new Set<string | undefined>();
  for (const { env = [], envFrom = [] } of pod.spec?.containers ?? []) {
    for (const { secretRef, configMapRef } of envFrom) {
      secrets.add(secretRef?.name);
      configMaps.add(configMapRef?.name);
    }
    for (const { valueFrom } of env) {
      secrets.add(valueFrom?.secretKeyRef?.name);
      configMaps.add(valueFrom?.configMapKeyRef?.name);
    }
  }
  for (const { secret, configMap, projected } of pod.spec?.volumes ?? []) {
    secrets.add(secret?.secretName);
    configMaps.add(configMap?.name);
    for (const part of projected?.sources ?? []) {
      secrets.add(part.secret?.name);
      configMaps.add(part.configMap?.name);
    }
  }
  const named = (names: Set<string | undefined>) =>
    new Set([...names].filter((name) => name !== undefined && name !== "")) as Set<string>;
  return { secrets: named(secrets), configMaps: named(configMaps) };
}

interface Kubeconfig {
  clusters: [{ cluster: { server: string; "certificate-authority-data": string } }];
  users: [{ user: { token: string } }];
}

/** A connection by a kubeconfig that the sandbox has written. */
export async function connect(path: string): Promise<Api> {
  const { clusters, users } = JSON.parse(await readFile(path, "utf8")) as Kubeconfig;
  const { server, "certificate-authority-data": certificate } = clusters[0].cluster;
  return new Api(server, Buffer.from(certificate, "base64").toString(), users[0].user.token);
}
