import k8s from "@pulumi/kubernetes";
import pulumi from "@pulumi/pulumi";
import type { Platform } from "../platform/index.ts";
import type { GatewayApiSettings } from "../settings/gateway.ts";
import { letControllerIn } from "./access.ts";
import { certificateSecret } from "./certificate.ts";
import { gatewaySpec, parentOf, redirectSpec, routeSpec } from "./gateway-api-spec.ts";
import { GATEWAY_ROLE, type Gateway, type GatewayArgs } from "./gateway.ts";

const API_VERSION = "gateway.networking.k8s.io/v1";

/** Gateway API: a Gateway of the stack's own or a place on one that exists, and a route for each host. */
export class GatewayApi extends pulumi.ComponentResource implements Gateway {
  readonly apiEndpoint: string;
  readonly ready: pulumi.Resource = this;

  constructor(name: string, args: GatewayArgs<GatewayApiSettings>, opts?: pulumi.ComponentResourceOptions) {
    super("attic-stack:gateway:GatewayApi", name, {}, opts);
    const { platform, settings, backends } = args;
    this.apiEndpoint = `https://${settings.host}/`;

    letControllerIn(name, platform, backends, this);
    const gateway = this.#ownGateway(name, args);
    for (const backend of backends) {
      this.#route(
        `${name}-${backend.name}`,
        platform,
        routeSpec(parentOf(settings, name, backend), backend),
        gateway,
      );
    }
    if (gateway.length > 0) this.#route(`${name}-redirect`, platform, redirectSpec(name, backends), gateway);
    this.registerOutputs({ apiEndpoint: this.apiEndpoint });
  }

  #route(name: string, platform: Platform, spec: object, dependsOn: pulumi.Resource[]): void {
    new k8s.apiextensions.CustomResource(
      name,
      { apiVersion: API_VERSION, kind: "HTTPRoute", metadata: platform.named(name, GATEWAY_ROLE), spec },
      { parent: this, dependsOn },
    );
  }

  #ownGateway(
    name: string,
    { platform, settings, backends }: GatewayArgs<GatewayApiSettings>,
  ): pulumi.Resource[] {
    const { className, tls } = settings;
    if (className === undefined || tls === undefined) return [];
    const secretName = certificateSecret(`${name}-tls`, platform, tls, backends, this);
    return [
      new k8s.apiextensions.CustomResource(
        name,
        {
          apiVersion: API_VERSION,
          kind: "Gateway",
          metadata: platform.named(name, GATEWAY_ROLE),
          spec: gatewaySpec(className, secretName, backends),
        },
        { parent: this },
      ),
    ];
  }
}
