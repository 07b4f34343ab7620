import k8s from "@pulumi/kubernetes";
import pulumi from "@pulumi/pulumi";
import type { GatewayApiSettings } from "../settings/gateway.ts";
import { letControllerIn } from "./access.ts";
import { certificateSecret } from "./certificate.ts";
import { gatewaySpec, parentOf, routeSpec } from "./gateway-api-spec.ts";
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
      const route = `${name}-${backend.name}`;
      new k8s.apiextensions.CustomResource(
        route,
        {
          apiVersion: API_VERSION,
          kind: "HTTPRoute",
          metadata: platform.named(route, GATEWAY_ROLE),
          spec: routeSpec(parentOf(settings, name, backend), backend),
        },
        { parent: this, dependsOn: gateway },
      );
    }
    this.registerOutputs({ apiEndpoint: this.apiEndpoint });
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
