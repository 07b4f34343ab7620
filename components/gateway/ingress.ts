import k8s from "@pulumi/kubernetes";
import type pulumi from "@pulumi/pulumi";
import type { Labels, Platform } from "../platform/index.ts";
import type { TlsSettings } from "../settings/gateway.ts";
import type { Backend } from "../storage/index.ts";
import { letControllerIn } from "./access.ts";
import { certificateSecret } from "./certificate.ts";
import { GATEWAY_ROLE } from "./gateway.ts";

export interface IngressesArgs {
  platform: Platform;
  backends: readonly Backend[];
  className: string;
  tls: TlsSettings;
  annotations: Labels;
  parent: pulumi.Resource;
}

/** An Ingress for each host, for the controllers that are told the rest by annotations. */
export function ingresses(name: string, args: IngressesArgs): void {
  const { platform, backends, className, tls, annotations, parent } = args;
  letControllerIn(name, platform, backends, parent);
  const secretName = certificateSecret(`${name}-tls`, platform, tls, backends, parent);
  for (const backend of backends) {
    const ingress = `${name}-${backend.name}`;
    new k8s.networking.v1.Ingress(
      ingress,
      {
        metadata: {
          ...platform.named(ingress, GATEWAY_ROLE),
          // Not every controller fills in the status that Pulumi would wait for ten minutes.
          annotations: { ...annotations, "pulumi.com/skipAwait": "true" },
        },
        spec: {
          ingressClassName: className,
          tls: [{ hosts: [backend.host], secretName }],
          rules: [
            {
              host: backend.host,
              http: {
                paths: [
                  {
                    path: "/",
                    pathType: "Prefix",
                    backend: { service: { name: backend.service, port: { number: backend.port } } },
                  },
                ],
              },
            },
          ],
        },
      },
      { parent },
    );
  }
}
