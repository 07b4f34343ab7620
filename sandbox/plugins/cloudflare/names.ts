import { isObject, type Properties, type Value } from "../../../provider/protocol/values.ts";
import type { Json } from "../../edge/api/envelope.ts";

/** Names that are not written the same way with other words: the API's, by the SDK's. */
const API_NAMES: Readonly<Record<string, string>> = {
  ins: "in",
  notIns: "not_in",
  targets: "target",
  workersMessage: "workers/message",
  workersTag: "workers/tag",
  installedVersion: "installedVersion",
  packageJsonVersion: "packageJsonVersion",
};
const SDK_NAMES = new Map(Object.entries(API_NAMES).map(([sdk, api]) => [api, sdk]));

/** A value as the API has it: `bucketName` is `bucket_name` there. */
export function toApi(value: Value): Json {
  if (Array.isArray(value)) return value.map(toApi);
  if (!isObject(value)) return value as Json;
  const entries = Object.entries(value).filter(([, inner]) => inner !== null);
  return Object.fromEntries(entries.map(([name, inner]) => [toApiName(name), toApi(inner)]));
}

/** A value of the API as the SDK has it, without what is null. */
export function toSdk(value: Json): Value {
  if (Array.isArray(value)) return value.map(toSdk);
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value).filter(([, inner]) => inner !== null);
  return Object.fromEntries(entries.map(([name, inner]) => [toSdkName(name), toSdk(inner)]));
}

function toApiName(name: string): string {
  return API_NAMES[name] ?? name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

function toSdkName(name: string): string {
  return SDK_NAMES.get(name) ?? name.replace(/_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());
}

/** The properties named that are there. */
export function pick(properties: Properties, names: readonly string[]): Properties {
  return Object.fromEntries(
    names.flatMap((name) => (name in properties ? [[name, properties[name] ?? null]] : [])),
  );
}

/** Text of a property, or "". */
export function text(properties: Properties, name: string): string {
  const { [name]: value } = properties;
  return typeof value === "string" ? value : "";
}
