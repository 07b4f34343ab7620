import { isObject, type Value } from "../../../provider/protocol/values.ts";
import { field, list, removeField, setField, text, type KubeObject } from "./object.ts";

/** Names under which fields of an object were written before server-side apply took over. */
const FORMER: readonly [string, "Apply" | "Update"][] = [
  ["kubectl", "Apply"],
  ["kubectl", "Update"],
  ["before-first-apply", "Update"],
  ["pulumi-kubernetes", "Update"],
  ["pulumi-kubernetes.exe", "Update"],
  ["pulumi-resource-kubernetes", "Update"],
];

function isFormer(entry: Value): boolean {
  return FORMER.some(
    ([manager, operation]) => text(entry, "manager") === manager && text(entry, "operation") === operation,
  );
}

/** Whether a plugin's create, which is no apply, still owns fields of the object. */
export function ownedByCreate(live: KubeObject): boolean {
  return list(live, "metadata", "managedFields").some(
    (entry) =>
      isFormer(entry) && text(entry, "manager").startsWith("pulumi") && text(entry, "operation") === "Update",
  );
}

/**
 * A JSON patch that hands the fields of the former managers to the one that applies; undefined where there is
 * nothing to hand over. Without it the first apply could remove no field, and would conflict where it changes
 * one.
 */
export function takeOver(live: KubeObject, manager: string): Value[] | undefined {
  const entries = list(live, "metadata", "managedFields");
  const former = entries.filter((entry) => isFormer(entry) && text(entry, "subresource") === "");
  if (former.length === 0) return undefined;
  const isOurs = (entry: Value): boolean =>
    text(entry, "manager") === manager &&
    text(entry, "operation") === "Apply" &&
    text(entry, "subresource") === "";
  const ours = entries.find(isOurs);
  const merged = [...former, ...(ours === undefined ? [] : [ours])].reduce<KubeObject>(
    (fields, entry) => union(fields, field(entry, "fieldsV1") ?? {}),
    {},
  );
  const template = ours ?? former[0] ?? {};
  const applied = { ...(isObject(template) ? template : {}), manager, operation: "Apply", fieldsV1: merged };
  const others = entries.filter((entry) => !former.includes(entry) && !isOurs(entry));
  return [
    { op: "replace", path: "/metadata/managedFields", value: [...others, applied] },
    { op: "replace", path: "/metadata/resourceVersion", value: text(live, "metadata", "resourceVersion") },
  ];
}

function union(a: Value, b: Value): KubeObject {
  const result: KubeObject = isObject(a) ? { ...a } : {};
  for (const [key, value] of Object.entries(isObject(b) ? b : {}))
    result[key] = union(result[key] ?? {}, value);
  return result;
}

/**
 * Leaves ignored fields as the cluster has them: out of the inputs where somebody else alone manages them,
 * else with the value that they have now.
 */
export function applyIgnored(
  inputs: KubeObject,
  live: KubeObject,
  ignored: readonly string[],
  manager: string,
): void {
  const entries = list(live, "metadata", "managedFields");
  const managed = (path: readonly string[], ours: boolean): boolean =>
    entries
      .filter((entry) => (text(entry, "manager") === manager) === ours)
      .some((entry) => field(entry, "fieldsV1", ...path.map((key) => `f:${key}`)) !== undefined);
  for (const path of ignored.map((item) => item.split("."))) {
    if (managed(path, false) && !managed(path, true)) {
      removeField(inputs, ...path);
      continue;
    }
    const value = field(live, ...path);
    if (value !== undefined) setField(inputs, path, value);
  }
}
