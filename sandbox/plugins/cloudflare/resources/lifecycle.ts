import type { Properties, Value } from "../../../../provider/protocol/values.ts";
import { isObject } from "../../../../provider/protocol/values.ts";
import type { Json } from "../../../edge/api/envelope.ts";
import type { Client } from "../client.ts";
import { text } from "../names.ts";
import type { Resource } from "../resource.ts";
import { type Fields, oneOf } from "../shape.ts";
import { jurisdiction, JURISDICTIONS } from "./bucket.ts";

const CONDITION: Fields = { type: "string!", maxAge: "number", date: "string" };

const path = (of: Properties) =>
  `accounts/${text(of, "accountId")}/r2/buckets/${text(of, "bucketName")}/lifecycle`;

async function put(client: Client, inputs: Properties): Promise<Properties> {
  // The API's names are the SDK's here.
  const { rules = [] } = inputs;
  await client.call("PUT", path(inputs), { json: { rules: rules as Json }, headers: jurisdiction(inputs) });
  return inputs;
}

/** The lifecycle rules of a bucket: they can be set and not be deleted, as with the official plugin. */
export const lifecycle: Resource = {
  inputs: {
    accountId: "string!",
    bucketName: "string!",
    jurisdiction: "string",
    rules: {
      list: {
        fields: {
          id: "string!",
          enabled: "boolean!",
          conditions: { fields: { prefix: "string!" }, required: true },
          abortMultipartUploadsTransition: {
            fields: { condition: { fields: { type: "string!", maxAge: "number!" } } },
          },
          deleteObjectsTransition: { fields: { condition: { fields: CONDITION } } },
          storageClassTransitions: {
            list: { fields: { condition: { fields: CONDITION, required: true }, storageClass: "string!" } },
          },
        },
      },
    },
  },
  defaults: { jurisdiction: "default" },
  computed: [],
  replaces: ["accountId", "bucketName"],
  check: ({ jurisdiction: where, rules }) => [
    ...oneOf("jurisdiction", where, JURISDICTIONS),
    ...conditionsOf(rules).flatMap(({ property, type, dates }) =>
      oneOf(property, type, dates ? ["Age", "Date"] : ["Age"]),
    ),
  ],
  // The official plugin gives it the account's id, too: it has none of its own.
  create: async (client, inputs) => ({ id: text(inputs, "accountId"), outputs: await put(client, inputs) }),
  read: async (client, _id, outputs) => {
    const found = await client.find(path(outputs), jurisdiction(outputs));
    if (found === undefined) return undefined;
    const { rules } = found as { rules: Value };
    return { ...outputs, rules };
  },
  update: async (client, _id, _olds, inputs) => await put(client, inputs),
  delete: () => Promise.resolve(),
};

function conditionsOf(
  rules: Value | undefined,
): { property: string; type: Value | undefined; dates: boolean }[] {
  const list = Array.isArray(rules) ? rules : [];
  return list.flatMap((rule, index) => {
    if (!isObject(rule)) return [];
    return ["abortMultipartUploadsTransition", "deleteObjectsTransition"].flatMap((name) => {
      const { [name]: transition } = rule;
      const condition = isObject(transition) ? transition.condition : undefined;
      if (!isObject(condition)) return [];
      const property = `rules[${index}].${name}.condition.type`;
      return [{ property, type: condition.type, dates: name === "deleteObjectsTransition" }];
    });
  });
}
