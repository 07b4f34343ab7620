import type pulumi from "@pulumi/pulumi";
import type { Platform } from "../platform/index.ts";
import type { Backend } from "../storage/index.ts";

/** The way in, whatever its kind. */
export interface Gateway {
  /** The server's address for clients, with its slash at the end. */
  readonly apiEndpoint: string;
  /** What has to be there before the first request from outside. */
  readonly ready: pulumi.Resource;
}

/** What every kind of gateway is given. */
export interface GatewayArgs<Settings> {
  platform: Platform;
  settings: Settings;
  /** What is published: the server, and a store that clients fetch from. */
  backends: readonly Backend[];
}

export const GATEWAY_ROLE = { name: "attic", component: "gateway" };
