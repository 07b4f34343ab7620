import type { DiffRequest, DiffResult, PropertyDiff } from "../../../provider/protocol/provider.ts";
import { isAutonamed, isNamed, replacesUnready } from "./annotations.ts";
import { checkReady } from "./await/await.ts";
import { fromCheckpoint } from "./checkpoint.ts";
import { message, type Cluster } from "./cluster.ts";
import { forceNewFields } from "./force-new.ts";
import {
  apiVersion,
  kindOf,
  name,
  namespace,
  removeField,
  setField,
  setNamespace,
  toObject,
} from "./object.ts";
import { normalize, prune } from "./normalize.ts";
import { detailedDiff, mergePatch } from "./patch.ts";

/**
 * Compares the live object, cut down to what the inputs speak of, with the new inputs: so a change that
 * somebody else made shows after a refresh, and what the cluster adds by itself does not.
 */
export async function diff(cluster: Cluster, request: DiffRequest): Promise<DiffResult> {
  const { urn, olds, news, ignoreChanges } = request;
  const { inputs: stored, live } = fromCheckpoint(olds);
  const oldInputs = normalize(stored);
  const newInputs = normalize(toObject(news));
  const before = prune(live, oldInputs);
  const kind = kindOf(newInputs);
  const namespaced = (await cluster.discovery.isNamespaced(kind)) ?? true;
  for (const object of [before, newInputs]) {
    setNamespace(object, namespaced ? namespace(object) || "default" : "");
  }
  if (before.apiVersion === undefined) before.apiVersion = apiVersion(kind);
  if (before.kind === undefined) before.kind = kind.kind;
  removeField(before, "metadata", "resourceVersion");
  if (name(newInputs) !== "") setField(before, ["metadata", "name"], name(live));

  const patch = mergePatch(before, newInputs);
  let detailed = new Map<string, PropertyDiff>();
  if (Object.keys(patch).length > 0) {
    detailed = detailedDiff(patch, before, newInputs, forceNewFields(newInputs, cluster.mutable));
    for (const path of detailed.keys()) {
      if (ignoreChanges.some((ignored) => contains(ignored, path))) detailed.delete(path);
    }
  }
  const replaces = [...detailed]
    .filter(([path, { kind }]) => kind.endsWith("replace") || (kind === "delete" && path === "metadata"))
    .map(([path]) => path);

  let changes = detailed.size > 0;
  if (replacesUnready(newInputs)) {
    if (cluster.unreachable !== "") {
      cluster.engine.log("warning", urn, "Cluster is unreachable, skipping replaceUnready check");
    } else if (kind.kind !== "Job") {
      cluster.engine.log("warning", urn, "replaceUnready annotation is not supported for this resource");
    } else if (await isUnready(cluster, live)) {
      changes = true;
      replaces.push('.metadata.annotations["pulumi.com/replaceUnready"]');
    }
  }
  // Two objects of one name cannot be there at the same time.
  const deleteBeforeReplace =
    replaces.length > 0 &&
    isNamed(newInputs) &&
    !isAutonamed(newInputs) &&
    name(newInputs) === name(live) &&
    namespace(newInputs) === namespace(live);
  return { changes, replaces, deleteBeforeReplace, detailed };
}

async function isUnready(cluster: Cluster, live: ReturnType<typeof toObject>): Promise<boolean> {
  const { api, discovery } = cluster;
  try {
    const collection = await discovery.collection(kindOf(live), namespace(live));
    const outputs = await api.get(`${collection}/${name(live)}`);
    await checkReady({ api, discovery, inputs: {}, outputs, say: () => undefined });
    return false;
  } catch (error) {
    // An object that cannot be read is not looked at further, as in the official plugin.
    return message(error).includes("failed to initialize");
  }
}

/** Whether one property path is another, or leads to it; `[*]` and `*` stand for any member. */
function contains(outer: string, inner: string): boolean {
  const parts = (path: string): string[] =>
    [...path.matchAll(/\["((?:[^"\\]|\\.)*)"\]|\[(\d+|\*)\]|([^.[\]]+)/g)].map(
      ([, quoted, index, plain]) => quoted ?? index ?? plain ?? "",
    );
  const wanted = parts(outer);
  const given = parts(inner);
  return wanted.length <= given.length && wanted.every((part, at) => part === "*" || part === given[at]);
}
