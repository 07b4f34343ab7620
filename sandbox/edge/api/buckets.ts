import type { BucketState } from "../state.ts";
import { type Call, jsonOf, newId, param, textOf } from "./call.ts";
import { ApiError, type Json, plain } from "./envelope.ts";

const LOCATIONS = ["apac", "eeur", "enam", "weur", "wnam", "oc"];
const CLASSES = ["Standard", "InfrequentAccess"];
const JURISDICTIONS = ["default", "eu", "fedramp"];
/** What R2 gives to each new bucket. */
const DEFAULT_RULE: Json = {
  id: "Default Multipart Abort Rule",
  enabled: true,
  conditions: { prefix: "" },
  abortMultipartUploadsTransition: { condition: { type: "Age", maxAge: 604800 } },
};

export async function createBucket(call: Call): Promise<Json> {
  const body = jsonOf(call);
  const name = textOf(body, "name", 10005);
  if (!/^[a-z0-9][a-z0-9-]{1,61}[a-z0-9]$/.test(name))
    throw new ApiError(400, 10005, "The specified bucket name is not valid.");
  const location = oneOf(body.locationHint ?? "weur", LOCATIONS, "locationHint");
  const storageClass = oneOf(body.storageClass ?? "Standard", CLASSES, "storageClass");
  const account = param(call, "account");
  const bucket: BucketState = {
    account,
    name,
    id: newId(),
    jurisdiction: jurisdictionOf(call),
    location: location.toUpperCase(),
    storageClass,
    created: new Date().toISOString(),
    rules: [DEFAULT_RULE],
  };
  await call.edge.change((state) => {
    if (state.buckets.some((other) => other.account === account && other.name === name))
      throw new ApiError(409, 10004, "The bucket you tried to create already exists, and you own it.");
    state.buckets.push(bucket);
  });
  return shown(bucket);
}

export function getBucket(call: Call): Json {
  return shown(find(call));
}

export function listBuckets(call: Call): Json {
  const contains = call.query.get("name_contains") ?? "";
  const found = call.edge.state.buckets
    .filter(
      ({ account, jurisdiction }) =>
        account === param(call, "account") && jurisdiction === jurisdictionOf(call),
    )
    .filter(({ name }) => name.includes(contains))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
  return { buckets: found.map(shown) };
}

/** The storage class is all that can be changed of a bucket, and it comes in a header. */
export async function editBucket(call: Call): Promise<Json> {
  const storageClass = oneOf(call.headers.get("cf-r2-storage-class") ?? "", CLASSES, "cf-r2-storage-class");
  const { id } = find(call);
  await call.edge.change((state) => {
    const bucket = state.buckets.find((other) => other.id === id);
    if (bucket) bucket.storageClass = storageClass;
  });
  return shown(find(call));
}

export async function deleteBucket(call: Call): Promise<Json> {
  const { id, name, account } = find(call);
  await call.edge.change(async (state) => {
    if (!(await call.edge.isEmpty(id)))
      throw new ApiError(
        409,
        10008,
        `The bucket you tried to delete (${name}) is not empty (account ${account}). Delete its objects first.`,
      );
    state.buckets = state.buckets.filter((bucket) => bucket.id !== id);
  });
  await call.edge.forgetBucket(id);
  return {};
}

export function getLifecycle(call: Call): Json {
  return { rules: find(call).rules };
}

export async function putLifecycle(call: Call): Promise<Json> {
  const { rules = [] } = jsonOf(call);
  if (!Array.isArray(rules)) throw new ApiError(400, 10040, "rules must be a list.");
  const wrong = rules.map(wrongRule).find((why) => why !== undefined);
  if (wrong !== undefined)
    throw new ApiError(400, 10040, `The lifecycle configuration is not valid: ${wrong}.`);
  const ids = rules.map((rule) => (rule as { id: string }).id);
  if (new Set(ids).size < ids.length)
    throw new ApiError(400, 10040, "The ids of lifecycle rules must be unique.");
  const { id } = find(call);
  await call.edge.change((state) => {
    const bucket = state.buckets.find((other) => other.id === id);
    if (bucket) bucket.rules = rules;
  });
  return {};
}

/** Public access by r2.dev: off, and it stays so, for nothing of the sandbox is public. */
export function getManagedDomain(call: Call): Json {
  const { id } = find(call);
  return { bucketId: id, domain: `pub-${id}.r2.dev`, enabled: false };
}

export function putManagedDomain(call: Call): Json {
  if (jsonOf(call).enabled !== false)
    throw new ApiError(400, 10041, "The sandbox's R2 has no public access: enabled must be false.");
  return getManagedDomain(call);
}

function find(call: Call): BucketState {
  const [account, name, jurisdiction] = [param(call, "account"), param(call, "bucket"), jurisdictionOf(call)];
  const found = call.edge.state.buckets.find(
    (bucket) => bucket.account === account && bucket.name === name && bucket.jurisdiction === jurisdiction,
  );
  if (found) return found;
  throw new ApiError(404, 10006, "The specified bucket does not exist.");
}

function shown(bucket: BucketState): Json {
  return {
    name: bucket.name,
    creation_date: bucket.created,
    location: bucket.location,
    jurisdiction: bucket.jurisdiction,
    storage_class: bucket.storageClass,
  };
}

function jurisdictionOf(call: Call): string {
  return oneOf(call.headers.get("cf-r2-jurisdiction") ?? "default", JURISDICTIONS, "cf-r2-jurisdiction");
}

function oneOf(value: Json, allowed: readonly string[], what: string): string {
  const found = allowed.find(
    (word) => typeof value === "string" && word.toLowerCase() === value.toLowerCase(),
  );
  if (found !== undefined) return found;
  throw new ApiError(400, 10001, `${what} must be one of ${allowed.join(", ")}.`);
}

function wrongRule(rule: Json): string | undefined {
  const { id, enabled, conditions, ...transitions } = rule as Record<string, Json>;
  if (typeof id !== "string" || id === "") return "a rule has no id";
  if (typeof enabled !== "boolean") return `rule ${id} does not say whether it is enabled`;
  if (typeof (conditions as { prefix?: Json } | undefined)?.prefix !== "string")
    return `rule ${id} has no prefix in its conditions`;
  const { abortMultipartUploadsTransition, deleteObjectsTransition, storageClassTransitions, ...strange } =
    transitions;
  const [unknown] = Object.keys(strange);
  if (unknown !== undefined) return `rule ${id} has ${unknown}, which is not known`;
  const all = [
    abortMultipartUploadsTransition,
    deleteObjectsTransition,
    storageClassTransitions ?? [],
  ].flat();
  const given = all.filter((transition) => transition !== undefined && transition !== null);
  if (given.length === 0) return `rule ${id} does nothing`;
  return given.map((transition) => wrongCondition(id, transition)).find((why) => why !== undefined);
}

function wrongCondition(id: string, transition: Json): string | undefined {
  const { type, maxAge, date } =
    (transition as { condition?: { type?: Json; maxAge?: Json; date?: Json } }).condition ?? {};
  if (type === "Age") {
    const whole = typeof maxAge === "number" && Number.isInteger(maxAge) && maxAge > 0;
    return whole ? undefined : `rule ${id} needs maxAge as whole seconds above 0`;
  }
  if (type === "Date") return Number.isNaN(Date.parse(plain(date))) ? `rule ${id} needs a date` : undefined;
  return `rule ${id} has a condition of the type ${plain(type)}`;
}
