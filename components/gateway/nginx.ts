import pulumi from "@pulumi/pulumi";
import type { Labels } from "../platform/index.ts";
import type { NginxSettings } from "../settings/gateway.ts";
import { bytes } from "../settings/leaf.ts";
import type { Gateway, GatewayArgs } from "./gateway.ts";
import { ingresses } from "./ingress.ts";

const PREFIX = "nginx.ingress.kubernetes.io";

/** Seconds between two reads or two writes, not of a whole upload. The default of 60 is short for slow disks. */
const IDLE_SECONDS = "3600";

/** ingress-nginx: the body limit taken away or raised, and nothing kept in its memory or on its disk. */
export class Nginx extends pulumi.ComponentResource implements Gateway {
  readonly apiEndpoint: string;
  readonly ready: pulumi.Resource = this;

  constructor(name: string, args: GatewayArgs<NginxSettings>, opts?: pulumi.ComponentResourceOptions) {
    super("attic-stack:gateway:Nginx", name, {}, opts);
    const { platform, settings, backends } = args;
    this.apiEndpoint = `https://${settings.host}/`;
    ingresses(name, {
      platform,
      backends,
      className: settings.className,
      tls: settings.tls,
      annotations: nginxAnnotations(settings.bodyLimit),
      parent: this,
    });
    this.registerOutputs({ apiEndpoint: this.apiEndpoint });
  }
}

/**
 * What ingress-nginx needs so that a NAR of any size passes through it.
 *
 * @param bodyLimit `none`, or a quantity such as `20Gi`, which nginx is told in megabytes.
 */
export function nginxAnnotations(bodyLimit: string): Labels {
  return {
    [`${PREFIX}/proxy-body-size`]: bodyLimit === "none" ? "0" : `${bytes(bodyLimit) / 2 ** 20}m`,
    [`${PREFIX}/proxy-request-buffering`]: "off",
    [`${PREFIX}/proxy-buffering`]: "off",
    [`${PREFIX}/proxy-http-version`]: "1.1",
    [`${PREFIX}/proxy-read-timeout`]: IDLE_SECONDS,
    [`${PREFIX}/proxy-send-timeout`]: IDLE_SECONDS,
  };
}
