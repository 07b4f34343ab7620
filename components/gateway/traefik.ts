import pulumi from "@pulumi/pulumi";
import type { TraefikSettings } from "../settings/gateway.ts";
import type { Gateway, GatewayArgs } from "./gateway.ts";
import { ingresses } from "./ingress.ts";

/**
 * Traefik, by Ingress. It limits no body and streams both ways unless its buffering middleware is used; what
 * it does limit is the time of a whole upload, on the entry point, where only its own configuration reaches.
 */
export class Traefik extends pulumi.ComponentResource implements Gateway {
  readonly apiEndpoint: string;
  readonly ready: pulumi.Resource = this;

  constructor(name: string, args: GatewayArgs<TraefikSettings>, opts?: pulumi.ComponentResourceOptions) {
    super("attic-stack:gateway:Traefik", name, {}, opts);
    const { platform, settings, backends } = args;
    this.apiEndpoint = `https://${settings.host}/`;
    ingresses(name, {
      platform,
      backends,
      className: settings.className,
      tls: settings.tls,
      annotations: {
        "traefik.ingress.kubernetes.io/router.entrypoints": settings.entryPoint,
        "traefik.ingress.kubernetes.io/router.tls": "true",
      },
      parent: this,
    });
    this.registerOutputs({ apiEndpoint: this.apiEndpoint });
  }
}
