import { isObject, type Properties, type Value } from "../../../../provider/protocol/values.ts";
import type { Json } from "../../../edge/api/envelope.ts";
import { text, toApi, toSdk } from "../names.ts";
import type { Resource } from "../resource.ts";
import { isJson, oneOf } from "../shape.ts";

const path = (of: Properties, id?: string) =>
  `accounts/${text(of, "accountId")}/tokens${id === undefined ? "" : `/${id}`}`;

/** An account's API token. What it is worth is told once, and stays in the state as a secret. */
export const token: Resource = {
  inputs: {
    accountId: "string!",
    name: "string!",
    policies: {
      required: true,
      list: {
        fields: {
          effect: "string!",
          permissionGroups: { list: { fields: { id: "string!" } }, required: true },
          resources: "string!",
        },
      },
    },
    condition: { fields: { requestIp: { fields: { ins: { list: "string" }, notIns: { list: "string" } } } } },
    expiresOn: "string",
    notBefore: "string",
    status: "string",
  },
  filled: ["status"],
  computed: [
    "creatorEmailAtCreation",
    "issuedOn",
    "lastUsedOn",
    "modifiedOn",
    "provisionerId",
    "provisionerType",
    "value",
  ],
  stable: ["value"],
  replaces: ["accountId"],
  secrets: ["value"],
  check: ({ policies, status }) => [
    ...oneOf("status", status, ["active", "disabled", "expired"]),
    ...policiesOf(policies).flatMap(({ effect, resources }, index) => [
      ...oneOf(`policies[${index}].effect`, effect, ["allow", "deny"]),
      ...isJson(`policies[${index}].resources`, resources),
    ]),
  ],
  create: async (client, inputs) => {
    const made = await client.call("POST", path(inputs), { json: bodyOf(inputs) });
    const { id, ...told } = shown(made);
    return { id: typeof id === "string" ? id : "", outputs: { ...told, ...inputs } };
  },
  read: async (client, id, outputs) => {
    const found = await client.find(path(outputs, id));
    if (found === undefined) return undefined;
    const { id: _id, ...told } = shown(found);
    // One that opens nothing any more is made anew.
    if (told.status === "expired") return undefined;
    const { value = null } = outputs;
    return { ...told, accountId: text(outputs, "accountId"), value };
  },
  update: async (client, id, olds, inputs) => {
    const changed = await client.call("PUT", path(inputs, id), { json: bodyOf(inputs) });
    const { id: _id, ...told } = shown(changed);
    return { ...told, ...inputs, value: olds.value ?? null };
  },
  delete: async (client, id, outputs) => {
    await client.call("DELETE", path(outputs, id));
  },
  import: {
    form: "<account_id>/<token_id>",
    parse: ([accountId = "", id = ""]) => ({ id, outputs: { accountId } }),
  },
};

function bodyOf({ accountId: _accountId, policies, ...rest }: Properties): Json {
  return {
    ...(toApi(rest) as Record<string, Json>),
    policies: policiesOf(policies).map(({ resources, ...policy }) => ({
      ...(toApi(policy) as Record<string, Json>),
      resources: JSON.parse(text({ resources: resources ?? null }, "resources")) as Json,
    })),
  };
}

/** What the API tells of a token, its policies as the inputs have them. */
function shown(answer: Json): Properties {
  const { policies: _policies, ...rest } = toSdk(answer) as Properties;
  const { policies = [] } = answer as { policies?: Record<string, Json>[] };
  return {
    ...rest,
    policies: policies.map(({ effect, permission_groups: groups, resources }) => ({
      effect: typeof effect === "string" ? effect : "",
      permissionGroups: (groups as { id: string }[]).map(({ id }) => ({ id })),
      resources: JSON.stringify(resources),
    })),
  };
}

function policiesOf(policies: Value | undefined): Properties[] {
  return Array.isArray(policies) ? policies.filter(isObject) : [];
}
