import type { IncomingMessage } from "node:http";
import type { Config } from "../config/load.ts";

/** Addresses that clients are told: the configured ones, else what the request itself says, as Attic does it. */
export function endpoints(config: Config, { headers }: IncomingMessage) {
  const scheme = headers["x-forwarded-proto"] === "https" ? "https" : "http";
  const apiEndpoint = config["api-endpoint"] ?? `${scheme}://${headers.host ?? ""}/`;
  return { apiEndpoint, substituterEndpoint: config["substituter-endpoint"] ?? apiEndpoint };
}
