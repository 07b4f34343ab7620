import { createRequire } from "node:module";
import type sdk from "@pulumi/cloudflare";

const require = createRequire(import.meta.url);

/** Cloudflare's SDK, loaded when a stack has an edge: most have none. */
export function cloudflare(): typeof sdk {
  return require("@pulumi/cloudflare") as typeof sdk;
}
