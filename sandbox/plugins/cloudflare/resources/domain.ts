import type { Properties } from "../../../../provider/protocol/values.ts";
import type { Json } from "../../../edge/api/envelope.ts";
import { pick, text, toApi, toSdk } from "../names.ts";
import type { Resource } from "../resource.ts";

const path = (of: Properties, id?: string) =>
  `accounts/${text(of, "accountId")}/workers/domains${id === undefined ? "" : `/${id}`}`;
const SENT = ["hostname", "service", "environment", "zoneId", "zoneName"];

/** A host that leads to a Worker, with its DNS record and its certificate. Nothing of it can be changed. */
export const domain: Resource = {
  inputs: {
    accountId: "string!",
    hostname: "string!",
    service: "string!",
    environment: "string",
    zoneId: "string",
    zoneName: "string",
  },
  filled: ["environment", "zoneId", "zoneName"],
  computed: ["certId"],
  replaces: ["accountId", "hostname", "service", "environment", "zoneId", "zoneName"],
  create: async (client, inputs) => {
    const json = toApi(pick(inputs, SENT));
    const { id, ...told } = shown(await client.call("PUT", path(inputs), { json }));
    return { id: text({ id: id ?? "" }, "id"), outputs: { ...told, ...inputs } };
  },
  read: async (client, id, outputs) => {
    const found = await client.find(path(outputs, id));
    if (found === undefined) return undefined;
    const { id: _id, ...told } = shown(found);
    return { ...outputs, ...told };
  },
  delete: async (client, id, outputs) => {
    await client.call("DELETE", path(outputs, id));
  },
  import: {
    form: "<account_id>/<domain_id>",
    parse: ([accountId = "", id = ""]) => ({ id, outputs: { accountId } }),
  },
};

function shown(answer: Json): Properties {
  return toSdk(answer) as Properties;
}
