import { containsUnknown, isObject, type Value } from "../../../provider/protocol/values.ts";
import * as go from "./go-fields.ts";
import { isBuiltIn, isCustomResourceDefinition, isSecret } from "./kinds.ts";
import { copy, field, removeField, text, type KubeObject } from "./object.ts";
import { canonicalQuantity } from "./quantity.ts";

const READ_ONLY =
  "creationTimestamp deletionGracePeriodSeconds deletionTimestamp generation managedFields resourceVersion uid";

/**
 * Inputs in the form in which the official plugin compares and stores them: quantities canonical, a Secret's
 * `stringData` in its `data`, what Kubernetes' types leave out left out, no field that only the server sets.
 * Objects of custom kinds, and those that hold an unknown, stay as they are but for the last point. Unknown
 * fields stay, for the API server to refuse, where the official plugin would drop them in silence.
 */
export function normalize(inputs: KubeObject): KubeObject {
  let object = copy(inputs);
  if (isBuiltIn(object) && !containsUnknown(object)) {
    if (isCustomResourceDefinition(object)) normalizeDefinition(object);
    else if (isSecret(object)) normalizeSecret(object);
    else object = typed(object, "", text(object, "kind")) as KubeObject;
  }
  for (const key of READ_ONLY.split(" ")) removeField(object, "metadata", key);
  return object;
}

function normalizeDefinition(object: KubeObject): void {
  if (field(object, "spec", "preserveUnknownFields") === false) {
    removeField(object, "spec", "preserveUnknownFields");
  }
  removeField(object, "status");
}

function normalizeSecret(object: KubeObject): void {
  const { data, stringData } = object;
  const whole = isObject(data) ? data : {};
  if (isObject(stringData) && Object.keys(stringData).length > 0) {
    for (const [key, value] of Object.entries(stringData)) {
      whole[key] = typeof value === "string" ? Buffer.from(value).toString("base64") : value;
    }
    object.data = whole;
    delete object.stringData;
    return;
  }
  for (const [key, value] of Object.entries(whole)) {
    // White space, such as a last newline, is no part of the value. What is no base64 is left for the server.
    if (typeof value === "string" && /^[A-Za-z0-9+/\s]*={0,2}\s*$/.test(value))
      whole[key] = value.replace(/\s/g, "");
  }
}

/**
 * @param parent the name that the value's object, or the list that the object stands in, has in its own
 * parent; "" for the whole object.
 */
function typed(value: Value, parent: string, kind: string): Value {
  if (Array.isArray(value)) return value.map((item) => typed(item, parent, kind));
  if (!isObject(value)) return value;
  const entries = Object.entries(value).flatMap(([key, inner]): [string, Value][] => {
    if (inner === null || dropped(key, inner, parent, kind)) return [];
    if (isMap(key, parent, kind)) return [[key, quantities(key, inner)]];
    if (go.QUANTITIES.has(key)) return [[key, quantity(inner)]];
    return [[key, typed(inner, key, kind)]];
  });
  return Object.fromEntries(entries);
}

function dropped(key: string, value: Value, parent: string, kind: string): boolean {
  if (Array.isArray(value)) {
    if (value.length > 0 || go.KEPT_LISTS.has(key)) return false;
    return !(go.KEPT_LISTS_OF[key]?.includes(kind) ?? false);
  }
  if (isObject(value)) return isMap(key, parent, kind) && Object.keys(value).length === 0;
  if (value !== false && value !== 0 && value !== "") return false;
  if (key === "readOnly" && go.KEEP_READ_ONLY.has(parent) && kind !== "PersistentVolume") return false;
  return go.DROPPED_SCALARS.has(key) || (go.DROPPED_SCALARS_IN[key]?.includes(parent) ?? false);
}

function isMap(key: string, parent: string, kind: string): boolean {
  if (key === "selector") return kind === "Service" && parent === "spec";
  return go.MAPS.has(key);
}

function quantities(key: string, value: Value): Value {
  if (!go.QUANTITY_MAPS.has(key) || !isObject(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, quantity(inner)]));
}

function quantity(value: Value): Value {
  if (typeof value !== "string" && typeof value !== "number") return value;
  return canonicalQuantity(String(value)) ?? value;
}

/**
 * What of `source` has its place in `target` too: the live object cut down to the shape of the inputs.
 * Lists are cut at the length of the target's; where the types differ the source stays whole.
 */
export function prune(source: KubeObject, target: KubeObject): KubeObject {
  return Object.fromEntries(
    Object.entries(source)
      .filter(([key]) => Object.hasOwn(target, key))
      .map(([key, value]) => [key, pruneValue(value, target[key] ?? null)]),
  );
}

function pruneValue(value: Value, target: Value): Value {
  if (isObject(value) && isObject(target)) return prune(value, target);
  if (!Array.isArray(value) || !Array.isArray(target)) return value;
  if (value.length === 0 || target.length === 0) return [];
  const [first = null] = value;
  const [wanted = null] = target;
  if (isObject(first) !== isObject(wanted) || typeof first !== typeof wanted) return value;
  return target.slice(0, value.length).map((item, index) => {
    const inner = value[index] ?? null;
    return inner === null || item === null ? inner : pruneValue(inner, item);
  });
}
