import { isObject, reveal, Unknown, type Properties, type Value } from "../../../provider/protocol/values.ts";

/** A Kubernetes object: JSON, where a preview may hold {@link Unknown} in place of any value, and no secrets. */
export type KubeObject = Properties;

/** What the API server knows an object's kind by. */
export interface GroupVersionKind {
  group: string;
  version: string;
  kind: string;
}

/** A field at a path of keys, or undefined where a part of the path is not an object. */
export function field(object: Value | undefined, ...path: string[]): Value | undefined {
  let current = object;
  for (const key of path) {
    if (!isObject(current)) return undefined;
    current = current[key];
  }
  return current;
}

/** A field that is expected to be text; "" for anything else. */
export function text(object: Value | undefined, ...path: string[]): string {
  const value = field(object, ...path);
  return typeof value === "string" ? value : "";
}

/** A field that is expected to be a number; 0 for anything else. */
export function number(object: Value | undefined, ...path: string[]): number {
  const value = field(object, ...path);
  return typeof value === "number" ? value : 0;
}

/** A field that is expected to be a list; empty for anything else. */
export function list(object: Value | undefined, ...path: string[]): Value[] {
  const value = field(object, ...path);
  return Array.isArray(value) ? value : [];
}

/** Sets a field, making the objects on the way to it where they are missing; does nothing below an unknown. */
export function setField(object: KubeObject, path: readonly string[], value: Value): void {
  const [key, ...rest] = path;
  if (key === undefined) return;
  if (rest.length === 0) {
    object[key] = value;
    return;
  }
  const inner = object[key] ?? (object[key] = {});
  if (isObject(inner)) setField(inner, rest, value);
}

/** Removes a field, if it is there. */
export function removeField(object: KubeObject, ...path: string[]): void {
  const parent = field(object, ...path.slice(0, -1));
  const key = path.at(-1);
  if (isObject(parent) && key !== undefined) Reflect.deleteProperty(parent, key);
}

export function name(object: KubeObject): string {
  return text(object, "metadata", "name");
}

export function namespace(object: KubeObject): string {
  return text(object, "metadata", "namespace");
}

export function setNamespace(object: KubeObject, value: string): void {
  if (value === "") removeField(object, "metadata", "namespace");
  else setField(object, ["metadata", "namespace"], value);
}

export function annotation(object: KubeObject, key: string): string {
  return text(object, "metadata", "annotations", key);
}

/** `namespace/name`, or the name alone of an object without a namespace: the resource's id. */
export function qualifiedName(object: KubeObject): string {
  return namespace(object) === "" ? name(object) : `${namespace(object)}/${name(object)}`;
}

/** The parts of an id that {@link qualifiedName} made. */
export function parseId(id: string): { namespace: string; name: string } {
  const [first = "", second] = id.split("/");
  return second === undefined ? { namespace: "", name: first } : { namespace: first, name: second };
}

/** The kind that an object says it is of. */
export function kindOf(object: KubeObject): GroupVersionKind {
  const apiVersion = text(object, "apiVersion");
  const [first = "", second] = apiVersion.split("/");
  const group = second === undefined || first === "core" ? "" : first;
  return { group, version: second ?? first, kind: text(object, "kind") };
}

/** The kind that a resource's type says it is of: `kubernetes:apps/v1:Deployment`. */
export function kindOfType(type: string): GroupVersionKind {
  const [pkg, module = "", kind = ""] = type.split(":");
  if (pkg !== "kubernetes") throw new Error(`unrecognized resource type: "${type}" for this provider`);
  const parts = module.split("/");
  const [group = "", version = ""] = parts;
  if (parts.length !== 2) throw new Error(`apiVersion does not have both a group and a version: "${module}"`);
  return { group: group === "core" ? "" : group, version, kind };
}

/** `group/version`, as `apiVersion` has it. */
export function apiVersion({ group, version }: GroupVersionKind): string {
  return group === "" ? version : `${group}/${version}`;
}

// The SDK's names for OpenAPI extensions in a CustomResourceDefinition, which cannot hold dashes.
const DASHED = [
  "x-kubernetes-embedded-resource",
  "x-kubernetes-int-or-string",
  "x-kubernetes-list-map-keys",
  "x-kubernetes-list-type",
  "x-kubernetes-map-type",
  "x-kubernetes-preserve-unknown-fields",
  "x-kubernetes-validations",
];
const TO_DASHED = new Map(DASHED.map((key) => [key.replaceAll("-", "_"), key]));
const TO_UNDERSCORED = new Map(DASHED.map((key) => [key, key.replaceAll("-", "_")]));

/** A copy as the API server wants it: no secret marks, and the names of extensions with dashes. */
export function toObject(properties: Properties): KubeObject {
  return rename(reveal(properties), TO_DASHED) as KubeObject;
}

/** A copy as the state holds it. */
export function toProperties(object: KubeObject): Properties {
  return rename(object, TO_UNDERSCORED) as Properties;
}

function rename(value: Value, names: ReadonlyMap<string, string>): Value {
  if (Array.isArray(value)) return value.map((item) => rename(item, names));
  if (!isObject(value)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => [names.get(key) ?? key, rename(inner, names)]),
  );
}

/** A deep copy. */
export function copy(object: KubeObject): KubeObject {
  return rename(object, new Map()) as KubeObject;
}

export function isUnknown(value: Value | undefined): boolean {
  return value instanceof Unknown;
}
