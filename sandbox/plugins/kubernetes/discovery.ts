import { isObject, type Value } from "../../../provider/protocol/values.ts";
import { StatusError, type Api } from "./api.ts";
import { knownNamespaced } from "./kinds.ts";
import { apiVersion, field, list, text, type GroupVersionKind, type KubeObject } from "./object.ts";

/** Where objects of a kind stand on the server. */
export interface Mapping {
  plural: string;
  namespaced: boolean;
}

/** The server has no such kind: a custom one whose definition is not there, or not there yet. */
export class NoMatch extends Error {
  override readonly name = "NoMatch";
  constructor(kind: GroupVersionKind) {
    super(`no matches for kind "${kind.kind}" in version "${apiVersion(kind)}"`);
  }
}

/** Knows which kinds the server has. Each group and version is asked for once. */
export class Discovery {
  readonly #api: Api;
  readonly #groups = new Map<string, Promise<Map<string, Mapping>>>();
  /** Kinds that this program's own CustomResourceDefinitions define, by `group/kind`. */
  readonly #defined = new Map<string, boolean>();

  constructor(api: Api) {
    this.#api = api;
  }

  /** @throws NoMatch */
  async find(kind: GroupVersionKind): Promise<Mapping> {
    const mapping = (await this.#group(apiVersion(kind))).get(kind.kind);
    if (!mapping) throw new NoMatch(kind);
    return mapping;
  }

  /** Like {@link find}, but asks the server once more before it gives up. */
  async findNow(kind: GroupVersionKind): Promise<Mapping> {
    try {
      return await this.find(kind);
    } catch (error) {
      if (!(error instanceof NoMatch)) throw error;
      this.#groups.delete(apiVersion(kind));
      return this.find(kind);
    }
  }

  async has(kind: GroupVersionKind): Promise<boolean> {
    try {
      await this.find(kind);
      return true;
    } catch {
      return false;
    }
  }

  /** Whether objects of the kind have a namespace; undefined where nobody knows. */
  async isNamespaced(kind: GroupVersionKind): Promise<boolean | undefined> {
    const known = knownNamespaced(kind) ?? this.#defined.get(`${kind.group}/${kind.kind}`);
    if (known !== undefined) return known;
    try {
      return (await this.find(kind)).namespaced;
    } catch {
      return undefined;
    }
  }

  /** Remembers a CustomResourceDefinition of the program, for kinds that the server does not have yet. */
  define(definition: KubeObject): void {
    const kind = text(definition, "spec", "names", "kind");
    const namespaced = field(definition, "spec", "scope") === "Namespaced";
    this.#defined.set(`${text(definition, "spec", "group")}/${kind}`, namespaced);
  }

  /** Forgets what the server said: its kinds have changed. */
  reset(): void {
    this.#groups.clear();
  }

  /** The path of a kind's collection: all objects, or those of one namespace. */
  async collection(kind: GroupVersionKind, namespace: string): Promise<string> {
    const { plural, namespaced } = await this.findNow(kind);
    const root = kind.group === "" ? `/api/${kind.version}` : `/apis/${kind.group}/${kind.version}`;
    return namespaced ? `${root}/namespaces/${namespace || "default"}/${plural}` : `${root}/${plural}`;
  }

  #group(groupVersion: string): Promise<Map<string, Mapping>> {
    const cached = this.#groups.get(groupVersion);
    if (cached) return cached;
    const asked = this.#ask(groupVersion);
    this.#groups.set(groupVersion, asked);
    asked.catch(() => this.#groups.delete(groupVersion));
    return asked;
  }

  async #ask(groupVersion: string): Promise<Map<string, Mapping>> {
    const path = groupVersion.includes("/") ? `/apis/${groupVersion}` : `/api/${groupVersion}`;
    try {
      const resources = list(await this.#api.get(path), "resources");
      return new Map(resources.filter(isTopLevel).map((item) => [text(item, "kind"), toMapping(item)]));
    } catch (error) {
      if (error instanceof StatusError && error.code === 404) return new Map();
      throw error;
    }
  }
}

/** `deployments/scale` is no collection of its own. */
function isTopLevel(resource: Value): boolean {
  return isObject(resource) && !text(resource, "name").includes("/");
}

function toMapping(resource: Value): Mapping {
  return { plural: text(resource, "name"), namespaced: field(resource, "namespaced") === true };
}
