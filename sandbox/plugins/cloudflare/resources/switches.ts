import type { Properties } from "../../../../provider/protocol/values.ts";
import type { Client } from "../client.ts";
import { pick, text, toApi, toSdk } from "../names.ts";
import type { Resource } from "../resource.ts";
import { jurisdiction } from "./bucket.ts";

const subdomainPath = (of: Properties) =>
  `accounts/${text(of, "accountId")}/workers/scripts/${text(of, "scriptName")}/subdomain`;
const managedPath = (of: Properties) =>
  `accounts/${text(of, "accountId")}/r2/buckets/${text(of, "bucketName")}/domains/managed`;

async function setSubdomain(client: Client, inputs: Properties): Promise<Properties> {
  const json = toApi(pick(inputs, ["enabled", "previewsEnabled"]));
  const set = toSdk(await client.call("POST", subdomainPath(inputs), { json })) as Properties;
  return { ...set, ...inputs };
}

async function setManaged(client: Client, inputs: Properties): Promise<Properties> {
  const json = toApi(pick(inputs, ["enabled"]));
  const headers = jurisdiction(inputs);
  const set = toSdk(await client.call("PUT", managedPath(inputs), { json, headers })) as Properties;
  return { ...set, ...inputs };
}

/** Whether a Worker answers at workers.dev. The official plugin gives it the account's id. */
export const subdomain: Resource = {
  inputs: { accountId: "string!", scriptName: "string!", enabled: "boolean!", previewsEnabled: "boolean" },
  filled: ["previewsEnabled"],
  computed: [],
  replaces: ["accountId", "scriptName"],
  create: async (client, inputs) => ({
    id: text(inputs, "accountId"),
    outputs: await setSubdomain(client, inputs),
  }),
  read: async (client, _id, outputs) => {
    const found = await client.find(subdomainPath(outputs));
    return found === undefined ? undefined : { ...outputs, ...(toSdk(found) as Properties) };
  },
  update: async (client, _id, _olds, inputs) => await setSubdomain(client, inputs),
  delete: async (client, _id, outputs) => {
    await client.call("DELETE", subdomainPath(outputs));
  },
};

/** Whether a bucket can be read by everybody, at r2.dev. It can be set and not be deleted. */
export const managedDomain: Resource = {
  inputs: { accountId: "string!", bucketName: "string!", enabled: "boolean!", jurisdiction: "string" },
  defaults: { jurisdiction: "default" },
  computed: ["bucketId", "domain"],
  replaces: ["accountId", "bucketName"],
  create: async (client, inputs) => ({
    id: text(inputs, "accountId"),
    outputs: await setManaged(client, inputs),
  }),
  read: async (client, _id, outputs) => {
    const found = await client.find(managedPath(outputs), jurisdiction(outputs));
    return found === undefined ? undefined : { ...outputs, ...(toSdk(found) as Properties) };
  },
  update: async (client, _id, _olds, inputs) => await setManaged(client, inputs),
  delete: () => Promise.resolve(),
};
