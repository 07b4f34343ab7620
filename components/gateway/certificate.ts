import k8s from "@pulumi/kubernetes";
import type pulumi from "@pulumi/pulumi";
import type { Platform } from "../platform/index.ts";
import type { TlsSettings } from "../settings/gateway.ts";
import type { Backend } from "../storage/index.ts";
import { GATEWAY_ROLE } from "./gateway.ts";

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
  return name;
}
