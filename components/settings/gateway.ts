import { z } from "zod";
import { choice, hostname, interval, key, label, objectName, quantity, section } from "./leaf.ts";

const certManager = section("A certificate for the hosts, made and renewed by cert-manager.", {
  kind: z.literal("cert-manager"),
  issuer: objectName("Name of the issuer."),
  issuerKind: choice("Kind of the issuer.", ["ClusterIssuer", "Issuer"]).default("ClusterIssuer"),
});

const existingSecret = section("A certificate for the hosts that somebody else looks after.", {
  kind: z.literal("secret"),
  name: objectName("Name of a kubernetes.io/tls Secret in the stack's namespace."),
});

const tls = z.discriminatedUnion("kind", [certManager, existingSecret]).meta({
  description: "Where the certificate for the hosts comes from.",
  allowed: "an object whose kind is cert-manager or secret",
});

const common = {
  host: hostname(
    "The server's public host name: clients push to it and ask it, so api-endpoint is https://<host>/.",
  ),
  proxiedBy: choice(
    "What stands before the gateway and has a limit of its own on the size of a request. Cloudflare's proxy takes 100 MB on the free and pro plans, 200 MB on business, 500 MB on enterprise.",
    ["nothing", "cloudflare-free", "cloudflare-pro", "cloudflare-business", "cloudflare-enterprise"],
  ).default("nothing"),
  sources: key(
    z.array(z.union([z.cidrv4(), z.cidrv6()])).max(50),
    "Further addresses that may reach the server and the store, for controllers whose packets come from nodes or load balancers and not from pods of their namespace.",
    "a list of at most 50 address blocks, such as 10.0.0.0/16",
  ).default([]),
};

const controllerNamespace = (fallback: string) =>
  label(
    "Namespace in which the controller's own pods run: only they reach the server and the store.",
  ).default(fallback);

const gatewayApi = section("Gateway API: a Gateway of its own, or a place on one that exists.", {
  kind: z.literal("gateway-api"),
  ...common,
  controllerNamespace: controllerNamespace("envoy-gateway-system"),
  className: objectName("GatewayClass of a Gateway that the stack makes.").optional(),
  parent: section("A Gateway that exists. It ends TLS for the hosts itself, so tls is left out.", {
    name: objectName("Its name."),
    namespace: label("Its namespace."),
    sectionName: objectName("The one listener of it to use; without it all that fit.").optional(),
  }).optional(),
  tls: tls.optional(),
});

const traefik = section("Traefik, by Ingress.", {
  kind: z.literal("traefik"),
  ...common,
  tls,
  controllerNamespace: controllerNamespace("kube-system"),
  className: objectName("IngressClass.").default("traefik"),
  entryPoint: label("Entry point for HTTPS.").default("websecure"),
  readTimeout: key(
    z.union([z.literal("none"), interval("")]),
    "What respondingTimeouts.readTimeout of that entry point is set to. It covers a whole upload, only Traefik's own configuration can change it, and Traefik's default is 60s.",
    "none, or a whole number with s, m, h, d, w or y, such as 2h",
  ).default("60s"),
});

const nginx = section("ingress-nginx, for clusters that still have it: it ended in March 2026.", {
  kind: z.literal("nginx"),
  ...common,
  tls,
  controllerNamespace: controllerNamespace("ingress-nginx"),
  className: objectName("IngressClass.").default("nginx"),
  bodyLimit: key(
    z.union([z.literal("none"), quantity("")]),
    "Largest upload that is let through.",
    "none, or a whole number with Mi, Gi or Ti, such as 20Gi",
  ).default("none"),
});

export const gatewaySection = z.discriminatedUnion("kind", [gatewayApi, traefik, nginx]).meta({
  description: "The way in.",
  allowed: "an object whose kind is gateway-api, traefik or nginx",
});

export type GatewaySettings = z.infer<typeof gatewaySection>;
export type GatewayApiSettings = z.infer<typeof gatewayApi>;
export type TraefikSettings = z.infer<typeof traefik>;
export type NginxSettings = z.infer<typeof nginx>;
export type TlsSettings = z.infer<typeof tls>;
