import { createHash, randomBytes } from "node:crypto";
import { isObject } from "../../../provider/protocol/values.ts";
import type { CheckRequest } from "../../../provider/protocol/provider.ts";
import { nameOf } from "../../../provider/protocol/messages.ts";
import { annotation, field, isUnknown, name, setField, text, type KubeObject } from "./object.ts";

/** Marks an object whose name nobody chose. */
const AUTONAMED = "pulumi.com/autonamed";

export function skipsAwait(inputs: KubeObject): boolean {
  return annotation(inputs, "pulumi.com/skipAwait") === "true";
}

export function replacesUnready(inputs: KubeObject): boolean {
  return annotation(inputs, "pulumi.com/replaceUnready") === "true";
}

/** The conditions to wait for in place of those of the kind; undefined where none are given. */
export function waitFor(inputs: KubeObject): string[] | undefined {
  const value = annotation(inputs, "pulumi.com/waitFor");
  if (value === "") return undefined;
  try {
    const parsed: unknown = JSON.parse(value);
    if (Array.isArray(parsed) && parsed.every((item) => typeof item === "string")) return parsed;
  } catch {
    // Not JSON: one condition as it stands.
  }
  return [value];
}

/** Milliseconds to wait: the resource's custom time-out, else its annotation's, else ten minutes. */
export function awaitTimeout(seconds: number, inputs: KubeObject): number {
  const annotated = annotation(inputs, "pulumi.com/timeoutSeconds");
  if (seconds !== 0) return seconds * 1000;
  return /^[+-]?\d+$/.test(annotated) ? Number(annotated) * 1000 : 600_000;
}

/** What happens to the objects that an object owns when it is deleted. */
export function deletionPropagation(inputs: KubeObject): "Orphan" | "Background" | "Foreground" {
  switch (annotation(inputs, "pulumi.com/deletionPropagationPolicy").toLowerCase()) {
    case "orphan":
      return "Orphan";
    case "background":
      return "Background";
    default:
      return "Foreground";
  }
}

/** Whether the object has a name, or will have one that is not known yet. */
export function isNamed(object: KubeObject): boolean {
  return name(object) !== "" || isUnknown(field(object, "metadata", "name"));
}

export function isAutonamed(object: KubeObject): boolean {
  return annotation(object, AUTONAMED) === "true";
}

export function isGenerateName(object: KubeObject): boolean {
  const given = field(object, "metadata", "generateName");
  return !isNamed(object) && (isUnknown(given) || text(object, "metadata", "generateName") !== "");
}

/** Gives a new object that has no name one made of the resource's name, `-` and eight hex digits. */
export function assignName(object: KubeObject, { urn, randomSeed, autonaming }: CheckRequest): void {
  if (isNamed(object) || isGenerateName(object)) return;
  if (autonaming === "disabled") {
    throw new Error("autonaming is disabled, resource requires the .metadata.name field to be set");
  }
  const suffix =
    randomSeed.length > 0
      ? createHash("sha256").update(randomSeed).update(urn).digest("hex").slice(0, 8)
      : randomBytes(4).toString("hex");
  markAutonamed(object, autonaming?.proposed ?? `${nameOf(urn)}-${suffix}`);
}

/** Lets an object that has no name keep the one that an earlier update made up. */
export function adoptName(object: KubeObject, old: KubeObject): void {
  if (!isNamed(object) && isAutonamed(old)) markAutonamed(object, name(old));
}

function markAutonamed(object: KubeObject, chosen: string): void {
  if (isUnknown(object.metadata)) return;
  setField(object, ["metadata", "name"], chosen);
  const annotations = field(object, "metadata", "annotations");
  if (annotations === undefined || isObject(annotations)) {
    setField(object, ["metadata", "annotations", AUTONAMED], "true");
  }
}
