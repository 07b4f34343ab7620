import type { GarageSettings, MinioSettings } from "../settings/storage.ts";
import { fromPods, type Platform, type Role, toGateway, toPods } from "../platform/index.ts";
import type pulumi from "@pulumi/pulumi";
import { type Backend, STORE_CLIENT } from "./object-store.ts";

export interface EndpointArgs {
  platform: Platform;
  role: Role;
  settings: Pick<GarageSettings | MinioSettings, "clients" | "host">;
  /** Name of the Service, and the port of it and of its pods. */
  service: string;
  port: number;
  parent: pulumi.Resource;
}

/**
 * The one address of a store in the cluster, and the traffic that it needs. Attic signs the URLs that it
 * redirects clients to for the host that it talks to itself, so where clients fetch from the store, servers
 * take the same way in as they do.
 */
export function storeEndpoint(name: string, args: EndpointArgs): { endpoint: string; backend?: Backend } {
  const { platform, role, settings, service, port, parent } = args;
  const pods = platform.selector(role);
  const { host } = settings;

  platform.allow(name, pods, { ingress: [fromPods(STORE_CLIENT, port)] }, { role, parent });
  const egress = [toPods(pods, port), ...(host === undefined ? [] : toGateway(platform.gatewayNamespace))];
  platform.allow(`${name}-clients`, STORE_CLIENT, { egress }, { role, parent });

  if (host === undefined) return { endpoint: `http://${service}.${platform.namespaceName}.svc:${port}` };
  const backend: Backend = { name: "store", host, service, port, pods, podPort: port };
  return { endpoint: `https://${host}`, backend };
}
