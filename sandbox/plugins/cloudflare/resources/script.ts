import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import type { CheckFailure } from "../../../../provider/protocol/provider.ts";
import { isObject, Secret, type Properties, type Value } from "../../../../provider/protocol/values.ts";
import type { Json } from "../../../edge/api/envelope.ts";
import type { Client } from "../client.ts";
import { text, toApi, toSdk } from "../names.ts";
import type { Resource } from "../resource.ts";
import { isJson, oneOf } from "../shape.ts";
import { SCRIPT_INPUTS, UNPLAYED } from "./script-inputs.ts";

const CONTENT_TYPES = [
  "application/javascript+module",
  "application/javascript",
  "text/javascript+module",
  "text/javascript",
];
/** Inputs that are no part of the upload's metadata. */
const APART = ["accountId", "scriptName", "content", "contentFile", "contentSha256", "contentType"];
const COMPUTED = [
  "createdOn",
  "etag",
  "handlers",
  "hasAssets",
  "hasModules",
  "lastDeployedFrom",
  "migrationTag",
  "modifiedOn",
  "namedHandlers",
  "placementMode",
  "placementStatus",
  "startupTimeMs",
];

const path = (of: Properties, what = "scripts", more = "") =>
  `accounts/${text(of, "accountId")}/workers/${what}/${text(of, "scriptName")}${more}`;

/** A Worker, with its contents, bindings and settings in one. */
export const script: Resource = {
  inputs: SCRIPT_INPUTS,
  unplayed: UNPLAYED,
  defaults: { compatibilityDate: "", logpush: false, usageModel: "standard" },
  filled: ["annotations", "bindings", "compatibilityFlags", "placement", "tailConsumers"],
  computed: COMPUTED,
  stable: ["createdOn"],
  replaces: ["accountId", "scriptName"],
  check,
  create: async (client, inputs) => ({
    id: text(inputs, "scriptName"),
    outputs: await upload(client, inputs),
  }),
  read,
  update: async (client, _id, _olds, inputs) => await upload(client, inputs),
  delete: async (client, _id, outputs) => {
    await client.call("DELETE", path(outputs));
  },
  import: {
    form: "<account_id>/<script_name>",
    parse: ([accountId = "", scriptName = ""]) => ({ id: scriptName, outputs: { accountId, scriptName } }),
  },
  hide: (outputs) => ({ ...outputs, ...(outputs.bindings && { bindings: hideTexts(outputs.bindings) }) }),
};

async function check(inputs: Properties): Promise<CheckFailure[]> {
  const { content, contentFile, contentSha256, contentType, usageModel, bindings } = inputs;
  const failure = (property: string, reason: string): CheckFailure[] => [{ property, reason }];
  if (content === undefined && contentFile === undefined)
    return failure("content", "one of content, contentFile and assets must be given");
  if (content !== undefined && contentFile !== undefined)
    return failure("contentFile", "content and contentFile cannot both be given");
  if (contentFile !== undefined && contentSha256 === undefined)
    return failure("contentSha256", "contentFile must be paired with contentSha256");
  const list = Array.isArray(bindings) ? bindings.filter(isObject) : [];
  return [
    ...(contentSha256 === undefined ? [] : await checkHash(inputs)),
    ...oneOf("contentType", contentType, CONTENT_TYPES),
    ...oneOf("usageModel", usageModel, ["standard", "bundled", "unbound"]),
    ...list.flatMap(({ json }, index) => isJson(`bindings[${index}].json`, json)),
  ];
}

async function checkHash(inputs: Properties): Promise<CheckFailure[]> {
  const property = "contentSha256";
  try {
    const actual = createHash("sha256")
      .update(await contentOf(inputs))
      .digest("hex");
    if (actual === inputs.contentSha256) return [];
    return [{ property, reason: `contentSha256 is not the SHA-256 of the contents, which is ${actual}` }];
  } catch (error) {
    return [{ property: "contentFile", reason: error instanceof Error ? error.message : String(error) }];
  }
}

async function contentOf(inputs: Properties): Promise<string> {
  if (typeof inputs.content === "string") return inputs.content;
  const file = text(inputs, "contentFile");
  return await readFile(file, "utf8").catch((error: unknown) => {
    throw new Error(`could not read file ${file}`, { cause: error });
  });
}

async function upload(client: Client, inputs: Properties): Promise<Properties> {
  const main = text(inputs, "mainModule");
  const name = main === "" ? "script" : main;
  const fallback = main === "" ? "application/javascript" : "application/javascript+module";
  const type = text(inputs, "contentType") || fallback;
  const metadata = {
    ...(toApi(Object.fromEntries(Object.entries(inputs).filter(([key]) => !APART.includes(key)))) as object),
    ...(main === "" && { body_part: "script" }),
    bindings: bindingsOf(inputs.bindings),
  };
  const form = new FormData();
  form.append(name, new Blob([await contentOf(inputs)], { type }), name);
  form.append("metadata", new Blob([JSON.stringify(metadata)], { type: "application/json" }));
  const made = toSdk(await client.call("PUT", path(inputs), { form })) as Properties;
  return { ...told(made), bindings: [], compatibilityFlags: [], ...inputs };
}

async function read(client: Client, _id: string, outputs: Properties): Promise<Properties | undefined> {
  const service = await client.find(path(outputs, "services"));
  if (service === undefined) return undefined;
  const { default_environment: environment } = service as { default_environment: { script: Json } };
  const settings = await client.call("GET", path(outputs, "scripts", "/settings"));
  const { bindings: found = [], ...rest } = toSdk(settings) as Properties;
  const [content = ""] = await client.form(path(outputs, "scripts", "/content/v2"));
  const settled = Object.entries(rest).filter(
    ([name, value]) => name in SCRIPT_INPUTS && (name in outputs || !isEmpty(value)),
  );
  return {
    ...outputs,
    ...Object.fromEntries(settled),
    ...told(toSdk(environment.script) as Properties),
    bindings: mergeBindings(outputs.bindings, found),
    ...(!("contentFile" in outputs) && { content }),
    ...("contentSha256" in outputs && { contentSha256: createHash("sha256").update(content).digest("hex") }),
  };
}

function isEmpty(value: Value): boolean {
  return (
    value === "" ||
    (Array.isArray(value) ? value.length === 0 : isObject(value) && Object.keys(value).length === 0)
  );
}

/** Of an answer what is an output and no input. */
function told(answer: Properties): Properties {
  return Object.fromEntries(Object.entries(answer).filter(([name]) => COMPUTED.includes(name)));
}

/** As the official plugin reads them: those of the state as they stand there, then what else there is but secrets. */
function mergeBindings(before: Value | undefined, found: Value): Value[] {
  const key = (binding: Value) =>
    isObject(binding) ? `${text(binding, "type")} ${text(binding, "name")}` : "";
  const isSecret = (binding: Value) => key(binding).startsWith("secret_text ");
  const [old, now] = [before, found].map((list) => (Array.isArray(list) ? list : [])) as [Value[], Value[]];
  const kept = old.filter(
    (binding) => !isSecret(binding) || now.some((other) => key(other) === key(binding)),
  );
  const added = now.filter(
    (binding) => !isSecret(binding) && !old.some((other) => key(other) === key(binding)),
  );
  return [...kept, ...added.map(withJsonText)];
}

function withJsonText(binding: Value): Value {
  if (!isObject(binding) || binding.json === undefined) return binding;
  return { ...binding, json: JSON.stringify(binding.json) };
}

function bindingsOf(bindings: Value | undefined): Json {
  const list = Array.isArray(bindings) ? bindings.filter(isObject) : [];
  return list.map(({ json, ...binding }) => ({
    ...(toApi(binding) as Record<string, Json>),
    ...(typeof json === "string" && { json: JSON.parse(json) as Json }),
  }));
}

/** What a binding says in clear is sensitive in the official plugin's schema, whatever its type. */
function hideTexts(bindings: Value): Value {
  if (!Array.isArray(bindings)) return bindings;
  return bindings.map((binding) => {
    if (!isObject(binding) || binding.text === undefined || binding.text instanceof Secret) return binding;
    return { ...binding, text: new Secret(binding.text) };
  });
}
