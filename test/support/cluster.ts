import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { Api, ApiError } from "../../sandbox/control-plane/api.ts";
import { certificateOf, provideIdentity } from "../../sandbox/control-plane/identity.ts";

export interface KubernetesObject {
  apiVersion: string;
  kind: string;
  metadata: {
    name: string;
    namespace?: string;
    uid?: string;
    labels?: Record<string, string>;
    ownerReferences?: unknown[];
  };
  data?: Record<string, string>;
  spec?: unknown;
}

/** Whether an object was made by a stack, and not by the cluster for one of a stack's objects. */
export function isMadeByUs({ kind, metadata }: KubernetesObject): boolean {
  const ours = metadata.labels?.["app.kubernetes.io/managed-by"] === "pulumi";
  // Endpoints have the labels of their Service and no owner.
  return ours && metadata.ownerReferences === undefined && kind !== "Endpoints";
}

interface Kind {
  /** Address of its list, such as "/apis/apps/v1"; the plural follows after a namespace. */
  root: string;
  apiVersion: string;
  name: string;
  kind: string;
  namespaced: boolean;
  verbs: string[];
}

/** The Kubernetes API of a sandbox, seen by its administrator. */
export class Cluster {
  readonly #api: Api;
  #kinds: Promise<Kind[]> | undefined;

  private constructor(api: Api) {
    this.#api = api;
  }

  /** The cluster of a sandbox that `npm start` has started. @param folder of that sandbox. */
  static async in(folder: string): Promise<Cluster> {
    const ready = await readFile(join(folder, "control-plane/ready.json"), "utf8");
    return await Cluster.of({ folder, controlPlane: JSON.parse(ready) as { server: string } });
  }

  static async of(sandbox: { folder: string; controlPlane: { server: string } }): Promise<Cluster> {
    const identity = await provideIdentity(join(sandbox.folder, "control-plane"));
    const certificate = (await certificateOf(identity)) ?? "";
    return new Cluster(new Api(sandbox.controlPlane.server, certificate, identity.tokens.admin));
  }

  close(): void {
    this.#api.close();
  }

  /** @throws ApiError with the server's own words where it refuses. */
  async call(method: string, path: string, body?: unknown, type?: string): Promise<unknown> {
    const text = body === undefined ? undefined : JSON.stringify(body);
    for (;;) {
      try {
        return JSON.parse(await this.#api.call(method, path, text, type));
      } catch (error) {
        // "storage is (re)initializing": of a kind that the server has just learned.
        if (!(error instanceof ApiError && error.status === 429)) throw error;
        await sleep(200);
      }
    }
  }

  /** The address of the objects of a kind. */
  async pathOf(apiVersion: string, kind: string, namespace?: string): Promise<string> {
    const found = (await this.kinds()).find(
      (entry) => entry.apiVersion === apiVersion && entry.kind === kind && !entry.name.includes("/"),
    );
    if (found === undefined) throw new Error(`The API server has no ${apiVersion} ${kind}`);
    return listPath(found, namespace);
  }

  /** Every object of every kind in a namespace, or of the whole cluster; what is only computed is left out. */
  async objects(namespace?: string): Promise<KubernetesObject[]> {
    const kinds = (await this.kinds()).filter(
      (kind) => kind.verbs.includes("list") && (namespace === undefined || kind.namespaced),
    );
    const lists = await Promise.all(
      kinds.map(async (kind) => {
        const list = (await this.call("GET", listPath(kind, namespace))) as { items: KubernetesObject[] };
        return list.items.map((item) => ({ ...item, apiVersion: kind.apiVersion, kind: kind.kind }));
      }),
    );
    return lists.flat();
  }

  /** Everything that the API server serves, in the version that it prefers. */
  async kinds(): Promise<Kind[]> {
    this.#kinds ??= this.#discover();
    return await this.#kinds;
  }

  async #discover(): Promise<Kind[]> {
    const { groups } = (await this.call("GET", "/apis")) as {
      groups: { preferredVersion: { groupVersion: string } }[];
    };
    const versions = ["v1", ...groups.map(({ preferredVersion }) => preferredVersion.groupVersion)];
    const lists = await Promise.all(
      versions.map(async (apiVersion) => {
        const root = apiVersion === "v1" ? "/api/v1" : `/apis/${apiVersion}`;
        const { resources } = (await this.call("GET", root)) as { resources: Kind[] };
        return resources.map((resource) => ({ ...resource, root, apiVersion }));
      }),
    );
    return lists.flat();
  }
}

function listPath({ root, name, namespaced }: Kind, namespace: string | undefined): string {
  return namespaced && namespace !== undefined
    ? `${root}/namespaces/${namespace}/${name}`
    : `${root}/${name}`;
}
