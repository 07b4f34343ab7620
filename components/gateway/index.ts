import pulumi from "@pulumi/pulumi";
import type { Platform } from "../platform/index.ts";
import type { GatewaySettings } from "../settings/gateway.ts";
import type { Backend } from "../storage/index.ts";
import { GatewayApi } from "./gateway-api.ts";
import type { Gateway } from "./gateway.ts";
import { Nginx } from "./nginx.ts";
import { Traefik } from "./traefik.ts";
import { gatewayWarnings } from "./warnings.ts";

export type { Gateway } from "./gateway.ts";

/** Makes the way in that the settings name, and says what it cannot take; behind this nobody asks which kind. */
export function createGateway(
  name: string,
  settings: GatewaySettings,
  platform: Platform,
  backends: readonly Backend[],
): Gateway {
  const gateway = ofKind(`${name}-gateway`, settings, platform, backends);
  for (const warning of gatewayWarnings(settings)) void pulumi.log.warn(warning, gateway);
  return gateway;
}

/**
 * Every kind has been any other: what the kinds have in common, above all the certificate, is then kept where the
 * kind is changed, and not made a second time under a name that is still taken.
 */
const FORMERLY = {
  aliases: ["GatewayApi", "Traefik", "Nginx"].map((kind) => ({ type: `attic-stack:gateway:${kind}` })),
};

function ofKind(
  name: string,
  settings: GatewaySettings,
  platform: Platform,
  backends: readonly Backend[],
): Gateway & pulumi.Resource {
  switch (settings.kind) {
    case "gateway-api":
      return new GatewayApi(name, { platform, settings, backends }, FORMERLY);
    case "traefik":
      return new Traefik(name, { platform, settings, backends }, FORMERLY);
    case "nginx":
      return new Nginx(name, { platform, settings, backends }, FORMERLY);
  }
}
