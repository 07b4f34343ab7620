import type { DiffKind, PropertyDiff } from "../../../provider/protocol/provider.ts";
import { equal, isObject, Unknown, type Value } from "../../../provider/protocol/values.ts";
import type { KubeObject } from "./object.ts";

/** A JSON merge patch (RFC 7386) that makes `after` of `before`; empty where they are the same. */
export function mergePatch(before: KubeObject, after: KubeObject): KubeObject {
  const patch: KubeObject = {};
  for (const [key, value] of Object.entries(after)) {
    const old = before[key];
    if (isObject(old) && isObject(value)) {
      const inner = mergePatch(old, value);
      if (Object.keys(inner).length > 0) patch[key] = inner;
    } else if (!(key in before) || !equal(old, value)) {
      patch[key] = value;
    }
  }
  for (const key of Object.keys(before)) if (!(key in after)) patch[key] = null;
  return patch;
}

type Path = readonly (string | number)[];

/** The four views of one place in the object; `undefined` where the place is missing in one. */
interface Views {
  patch: Value;
  live: Value | undefined;
  newInput: Value | undefined;
  oldInput: Value | undefined;
}

/**
 * Tells what a merge patch changes, property by property, in the way of the official plugin: only what
 * stands in the inputs counts, deletions are looked for below arrays too, and a path that a force-new field
 * matches replaces the object.
 *
 * @param forceNew JSONPaths such as `.spec.template` or `.spec.containers[*].image`.
 */
export function detailedDiff(
  patch: KubeObject,
  live: KubeObject,
  newInputs: KubeObject,
  forceNew: readonly string[],
): Map<string, PropertyDiff> {
  const diff = new Map<string, PropertyDiff>();
  const fields = forceNew.map(parsePath);

  const visitMap = (path: Path, views: Views, inArray: boolean): void => {
    const patched = views.patch;
    if (!isObject(patched)) return;
    const at = (value: Value | undefined, key: string): Value | undefined =>
      isObject(value) && Object.hasOwn(value, key) ? value[key] : undefined;
    const keys = Object.keys(patched);
    if (inArray && isObject(views.live)) {
      keys.push(...Object.keys(views.live).filter((key) => !Object.hasOwn(patched, key)));
    }
    for (const key of keys) {
      const inner: Views = {
        patch: patched[key] ?? null,
        live: at(views.live, key),
        newInput: at(views.newInput, key),
        oldInput: at(views.oldInput, key),
      };
      visit([...path, key], inner, inArray);
    }
  };

  const visitArray = (path: Path, views: Views): void => {
    const at = (value: Value | undefined, index: number): Value | undefined =>
      Array.isArray(value) ? (value[index] ?? null) : null;
    const patched = Array.isArray(views.patch) ? views.patch : [];
    const old = Array.isArray(views.live) ? views.live : [];
    for (let index = 0; index < Math.max(patched.length, old.length); index++) {
      const inner: Views = {
        patch: patched[index] ?? null,
        live: index < old.length ? old[index] : undefined,
        newInput: at(views.newInput, index),
        oldInput: at(views.oldInput, index),
      };
      visit([...path, index], inner, true);
    }
  };

  const visit = (path: Path, views: Views, inArray: boolean): void => {
    const { patch: value, live: old, newInput, oldInput } = views;
    if (newInput === undefined && (value !== null || oldInput === undefined)) return;
    let kind: DiffKind;
    let input = false;
    if (value === null) {
      kind = "delete";
      input = true;
    } else if (old === undefined) {
      kind = "add";
    } else if (isObject(value) && isObject(old)) {
      visitMap(path, views, inArray);
      return;
    } else if (Array.isArray(value) && Array.isArray(old)) {
      visitArray(path, views);
      return;
    } else if (!(value instanceof Unknown) && equal(value, old)) {
      return;
    } else {
      kind = "update";
    }
    const change = wrap(path, value);
    if (fields.some((field) => matches(change, field))) kind = `${kind}-replace`;
    diff.set(pathText(path), { kind, input });
  };

  visitMap([], { patch, live, newInput: newInputs, oldInput: live }, false);
  return diff;
}

/** An object that holds nothing but a value at a path; a list on the way has one item. */
function wrap(path: Path, value: Value): Value {
  const [key, ...rest] = path;
  if (key === undefined) return value;
  return typeof key === "number" ? [wrap(rest, value)] : { [key]: wrap(rest, value) };
}

function parsePath(path: string): string[] {
  return path.slice(1).replaceAll("[*]", ".*").split(".");
}

function matches(value: Value, path: readonly string[]): boolean {
  const [key, ...rest] = path;
  if (key === undefined) return true;
  if (key === "*") return Array.isArray(value) && value.some((item) => matches(item, rest));
  return isObject(value) && Object.hasOwn(value, key) && matches(value[key] ?? null, rest);
}

function pathText(path: Path): string {
  return path.reduce<string>((text, key) => {
    if (typeof key === "number") return `${text}[${key}]`;
    if (/[."[\]]/.test(key)) return `${text}["${key.replaceAll('"', '\\"')}"]`;
    return text === "" ? key : `${text}.${key}`;
  }, "");
}
