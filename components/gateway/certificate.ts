import k8s from "@pulumi/kubernetes";
import type pulumi from "@pulumi/pulumi";
import { fromGateway, type Platform } from "../platform/index.ts";
import type { TlsSettings } from "../settings/gateway.ts";
import type { Backend } from "../storage/index.ts";
import { GATEWAY_ROLE } from "./gateway.ts";

/** Pods that cert-manager puts beside a Certificate for as long as an HTTP-01 challenge lasts, and their port. */
const SOLVER = { labels: { "acme.cert-manager.io/http01-solver": "true" }, port: 8089 };

/**
 * The name of the Secret with the certificate for all hosts: one that cert-manager fills, or one that exists.
 * https://cert-manager.io/docs/reference/api-docs/#cert-manager.io/v1.Certificate
 */
export function certificateSecret(
  name: string,
  platform: Platform,
  settings: TlsSettings,
  backends: readonly Backend[],
  parent: pulumi.Resource,
): string {
  if (settings.kind === "secret") return settings.name;
  new k8s.apiextensions.CustomResource(
    name,
    {
      apiVersion: "cert-manager.io/v1",
      kind: "Certificate",
      metadata: platform.named(name, GATEWAY_ROLE),
      spec: {
        secretName: name,
        dnsNames: backends.map(({ host }) => host),
        issuerRef: { group: "cert-manager.io", kind: settings.issuerKind, name: settings.issuer },
        privateKey: { algorithm: "ECDSA", size: 256, rotationPolicy: "Always" },
      },
    },
    { parent },
  );
  platform.allow(
    `${name}-solver`,
    SOLVER.labels,
    { ingress: [fromGateway(platform.gatewayNamespace, platform.gatewaySources, SOLVER.port)] },
    { role: GATEWAY_ROLE, parent },
  );
  return name;
}
