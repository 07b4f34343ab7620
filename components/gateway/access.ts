import type pulumi from "@pulumi/pulumi";
import { fromGateway, type Platform } from "../platform/index.ts";
import type { Backend } from "../storage/index.ts";
import { GATEWAY_ROLE } from "./gateway.ts";

/** Lets the controller's pods through to what it publishes, and nobody else with them. */
export function letControllerIn(
  name: string,
  platform: Platform,
  backends: readonly Backend[],
  parent: pulumi.Resource,
): void {
  for (const backend of backends) {
    platform.allow(
      `${name}-${backend.name}`,
      backend.pods,
      { ingress: [fromGateway(platform.gatewayNamespace, platform.gatewaySources, backend.podPort)] },
      { role: GATEWAY_ROLE, parent },
    );
  }
}
