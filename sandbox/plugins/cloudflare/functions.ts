import type { InvokeRequest } from "../../../provider/protocol/provider.ts";
import { revealAll, type Properties } from "../../../provider/protocol/values.ts";
import type { Client } from "./client.ts";
import { text, toSdk } from "./names.ts";
import { misshapen } from "./shape.ts";

const LIST = "cloudflare:index/getAccountApiTokenPermissionGroupsList:getAccountApiTokenPermissionGroupsList";

/** Answers the functions that are played; undefined for others. */
export function callFunction(
  client: Client,
  { token, args }: InvokeRequest,
): Promise<Properties> | undefined {
  return token === LIST ? permissionGroups(client, revealAll(args)) : undefined;
}

/** The permission groups that a token of an account may have. */
async function permissionGroups(client: Client, args: Properties): Promise<Properties> {
  const inputs = { accountId: "string!", maxItems: "number", name: "string", scope: "string" } as const;
  const [wrong] = misshapen(args, inputs);
  if (wrong) throw new Error(`getAccountApiTokenPermissionGroupsList: ${wrong.reason}`);
  const query = new URLSearchParams();
  for (const name of ["name", "scope"]) if (name in args) query.set(name, text(args, name));
  const path = `accounts/${text(args, "accountId")}/tokens/permission_groups?${query.toString()}`;
  const found = toSdk(await client.call("GET", path));
  const { maxItems } = args;
  const results = Array.isArray(found) ? found : [];
  const most = typeof maxItems === "number" && maxItems > 0 ? maxItems : 1000;
  return { ...args, id: text(args, "accountId"), results: results.slice(0, most) };
}
