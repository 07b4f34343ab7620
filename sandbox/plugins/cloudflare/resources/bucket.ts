import type { Properties, Value } from "../../../../provider/protocol/values.ts";
import type { Json } from "../../../edge/api/envelope.ts";
import { text, toSdk } from "../names.ts";
import type { Resource } from "../resource.ts";
import { oneOf } from "../shape.ts";

export const JURISDICTIONS = ["default", "eu", "fedramp"];

/** The header by which a bucket of another jurisdiction is meant. */
export function jurisdiction(properties: Properties): Record<string, string> {
  return { "cf-r2-jurisdiction": text(properties, "jurisdiction") || "default" };
}

const path = (outputs: Properties, name: string) =>
  `accounts/${text(outputs, "accountId")}/r2/buckets/${name}`;

/** An R2 bucket. */
export const bucket: Resource = {
  inputs: {
    accountId: "string!",
    name: "string!",
    jurisdiction: "string",
    location: "string",
    storageClass: "string",
  },
  defaults: { jurisdiction: "default", storageClass: "Standard" },
  filled: ["location"],
  computed: ["creationDate"],
  stable: ["creationDate", "location"],
  replaces: ["accountId", "name"],
  overlooked: ["location"],
  check: (inputs) => [
    ...oneOf("jurisdiction", inputs.jurisdiction, JURISDICTIONS),
    ...oneOf("location", inputs.location, ["apac", "eeur", "enam", "weur", "wnam", "oc"]),
    ...oneOf("storageClass", inputs.storageClass, ["Standard", "InfrequentAccess"]),
  ],
  create: async (client, inputs) => {
    const { accountId, location, name, storageClass } = inputs as Record<string, string>;
    const made = await client.call("POST", `accounts/${accountId}/r2/buckets`, {
      json: {
        name: name ?? "",
        ...(location !== undefined && { locationHint: location }),
        ...(storageClass !== undefined && { storageClass }),
      },
      headers: jurisdiction(inputs),
    });
    return { id: name ?? "", outputs: { ...shown(made), ...inputs } };
  },
  read: async (client, id, outputs) => {
    const found = await client.find(path(outputs, id), jurisdiction(outputs));
    return found === undefined ? undefined : { ...outputs, ...shown(found) };
  },
  update: async (client, id, _olds, inputs) => {
    const edited = await client.call("PATCH", path(inputs, id), {
      headers: { ...jurisdiction(inputs), "cf-r2-storage-class": text(inputs, "storageClass") },
    });
    return { ...shown(edited), ...inputs };
  },
  delete: async (client, id, outputs) => {
    await client.call("DELETE", path(outputs, id), { headers: jurisdiction(outputs) });
  },
  import: {
    form: "<account_id>/<bucket_name>/<jurisdiction>?",
    parse: ([accountId = "", name = "", where = "default"]) => ({
      id: name,
      outputs: { accountId, name, jurisdiction: where },
    }),
  },
};

/** What the API tells of a bucket, but its jurisdiction, which stays as it was asked for. */
function shown(answer: Json): Record<string, Value> {
  const { jurisdiction: _jurisdiction, ...rest } = toSdk(answer) as Properties;
  return rest;
}
