import { Client } from "./client.ts";

/** Settings of the official plugin for which the stand-in has nothing. */
const UNPLAYED = { apiKey: "CLOUDFLARE_API_KEY", apiUserServiceKey: "CLOUDFLARE_API_USER_SERVICE_KEY" };

/**
 * The client that a provider's settings name, or else the environment. There is no way to the real Cloudflare but by
 * the official plugin.
 *
 * @param variables as the engine gives them: `cloudflare:config:apiToken`.
 */
export function configure(variables: ReadonlyMap<string, string>): Client {
  const setting = (name: string, variable: string) =>
    variables.get(`cloudflare:config:${name}`) ?? process.env[variable] ?? "";
  for (const [name, variable] of Object.entries(UNPLAYED)) {
    if (setting(name, variable) !== "")
      throw new Error(
        `the sandbox's stand-in for pulumi-resource-cloudflare takes an apiToken only, no ${name}`,
      );
  }
  const token = setting("apiToken", "CLOUDFLARE_API_TOKEN");
  const base = setting("baseUrl", "CLOUDFLARE_BASE_URL");
  if (token === "")
    throw new Error(
      "Cloudflare needs a token: set cloudflare:apiToken, or CLOUDFLARE_API_TOKEN in the environment.",
    );
  if (base === "")
    throw new Error(
      "the sandbox's stand-in for pulumi-resource-cloudflare does not speak to the real Cloudflare: CLOUDFLARE_BASE_URL must be set",
    );
  return new Client(base, token);
}
