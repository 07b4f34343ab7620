import type { Properties } from "../../../../provider/protocol/values.ts";
import { pick, text, toApi, toSdk } from "../names.ts";
import type { Resource } from "../resource.ts";

const path = (of: Properties, id?: string) =>
  `zones/${text(of, "zoneId")}/workers/routes${id === undefined ? "" : `/${id}`}`;

/** A pattern of addresses that leads to a Worker. */
export const route: Resource = {
  inputs: { zoneId: "string!", pattern: "string!", script: "string" },
  computed: [],
  replaces: ["zoneId"],
  create: async (client, inputs) => {
    const json = toApi(pick(inputs, ["pattern", "script"]));
    const { id = "" } = toSdk(await client.call("POST", path(inputs), { json })) as Properties;
    return { id: text({ id }, "id"), outputs: inputs };
  },
  read: async (client, id, outputs) => {
    const found = await client.find(path(outputs, id));
    if (found === undefined) return undefined;
    const { pattern = "", script = null } = toSdk(found) as Properties;
    return { ...outputs, pattern, script };
  },
  update: async (client, id, _olds, inputs) => {
    await client.call("PUT", path(inputs, id), { json: toApi(pick(inputs, ["pattern", "script"])) });
    return inputs;
  },
  delete: async (client, id, outputs) => {
    await client.call("DELETE", path(outputs, id));
  },
  import: {
    form: "<zone_id>/<route_id>",
    parse: ([zoneId = "", id = ""]) => ({ id, outputs: { zoneId } }),
  },
};
