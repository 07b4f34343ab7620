import manifest from "@pulumi/cloudflare/package.json" with { type: "json" };
import type { Provider } from "../../../provider/protocol/provider.ts";
import { serve } from "../../../provider/protocol/server.ts";
import { unplayed } from "../unplayed.ts";
import type { Client } from "./client.ts";
import { configure } from "./configure.ts";
import { callFunction } from "./functions.ts";
import { resourceMethods } from "./provider.ts";
import { bucket } from "./resources/bucket.ts";
import { domain } from "./resources/domain.ts";
import { lifecycle } from "./resources/lifecycle.ts";
import { route } from "./resources/route.ts";
import { script } from "./resources/script.ts";
import { managedDomain, subdomain } from "./resources/switches.ts";
import { token } from "./resources/token.ts";

const RESOURCES = {
  "cloudflare:index/r2Bucket:R2Bucket": bucket,
  "cloudflare:index/r2BucketLifecycle:R2BucketLifecycle": lifecycle,
  "cloudflare:index/r2ManagedDomain:R2ManagedDomain": managedDomain,
  "cloudflare:index/accountToken:AccountToken": token,
  "cloudflare:index/workersScript:WorkersScript": script,
  "cloudflare:index/workersScriptSubdomain:WorkersScriptSubdomain": subdomain,
  "cloudflare:index/workersCustomDomain:WorkersCustomDomain": domain,
  "cloudflare:index/workersRoute:WorkersRoute": route,
};

let configured: Client | undefined;

function client(): Client {
  if (!configured) throw new Error("the provider was not configured");
  return configured;
}

const provider: Provider = {
  name: "cloudflare",
  version: manifest.version,
  unknown: (what, name) => unplayed(what, name, "cloudflare"),
  configure: (variables) => {
    configured = configure(variables);
    return Promise.resolve();
  },
  ...resourceMethods(RESOURCES, client),
  invoke: (request) => callFunction(client(), request),
};

serve(provider);
