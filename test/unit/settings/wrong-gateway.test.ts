import { type Content, GATEWAY_API, GATEWAY_API_PARENT, NGINX, TRAEFIK } from "../../support/stack-files.ts";
import { ALLOWED, refusesEach } from "../../support/wrong-values.ts";

const gateway = (over: Content): Content => ({ gateway: { ...GATEWAY_API, ...over } });

describe("a wrong namespace or gateway", () => {
  refusesEach({
    "a namespace with a capital": [{ namespace: "Attic" }, "namespace", '"Attic"', ALLOWED.namespace],
    "a namespace of 64 characters": [
      { namespace: "n".repeat(64) },
      "namespace",
      `"${"n".repeat(56)}...`,
      ALLOWED.namespace,
    ],
    "a namespace that ends in a hyphen": [
      { namespace: "attic-" },
      "namespace",
      '"attic-"',
      ALLOWED.namespace,
    ],
    "a namespace with a dot": [{ namespace: "my.attic" }, "namespace", '"my.attic"', ALLOWED.namespace],
    "an empty namespace": [{ namespace: "" }, "namespace", '""', ALLOWED.namespace],
    "a namespace that every cluster has": [
      { namespace: "default" },
      "namespace",
      '"default"',
      ALLOWED.namespace,
    ],
    "a namespace of Kubernetes itself": [
      { namespace: "kube-system" },
      "namespace",
      '"kube-system"',
      ALLOWED.namespace,
    ],
    "a namespace that is an object": [
      { namespace: { name: "a" } },
      "namespace",
      '{"name":"a"}',
      ALLOWED.namespace,
    ],

    "no gateway": [
      { gateway: undefined },
      "gateway",
      "nothing",
      "an object whose kind is gateway-api, traefik or nginx",
    ],
    "a gateway that is a text": [
      { gateway: "traefik" },
      "gateway",
      '"traefik"',
      "an object whose kind is gateway-api",
    ],
    "a gateway that is a list": [{ gateway: [] }, "gateway", "[]", "an object whose kind is gateway-api"],
    "a gateway of no kind": [
      { gateway: { host: "a.example.com" } },
      "gateway.kind",
      "nothing",
      "one of gateway-api, traefik, nginx",
    ],
    "a gateway of an unknown kind": [
      { gateway: { kind: "istio" } },
      "gateway.kind",
      '"istio"',
      "one of gateway-api, traefik, nginx",
    ],
    "a gateway's kind misspelt": [
      { gateway: { kind: "treafik" } },
      "gateway.kind",
      '"treafik"',
      "did you mean traefik? one of gateway-api, traefik, nginx",
    ],
    "a gateway whose kind is a number": [
      { gateway: { kind: 5 } },
      "gateway.kind",
      "5",
      "one of gateway-api, traefik, nginx",
    ],
    "no host": [gateway({ host: undefined }), "gateway.host", "nothing", ALLOWED.host],
    "a host that is a URL": [
      gateway({ host: "https://cache.example.com/" }),
      "gateway.host",
      '"https://cache.example.com/"',
      ALLOWED.host,
    ],
    "a host of one label": [gateway({ host: "cache" }), "gateway.host", '"cache"', ALLOWED.host],
    "a host with a port": [
      gateway({ host: "cache.example.com:443" }),
      "gateway.host",
      '"cache.example.com:443"',
      ALLOWED.host,
    ],
    "a host with a capital": [
      gateway({ host: "Cache.example.com" }),
      "gateway.host",
      '"Cache.example.com"',
      ALLOWED.host,
    ],
    "a host that is an IP address": [
      gateway({ host: "192.0.2.1" }),
      "gateway.host",
      '"192.0.2.1"',
      ALLOWED.host,
    ],
    "a wildcard host": [gateway({ host: "*.example.com" }), "gateway.host", '"*.example.com"', ALLOWED.host],
    "an unknown proxy": [
      gateway({ proxiedBy: "fastly" }),
      "gateway.proxiedBy",
      '"fastly"',
      "nothing, cloudflare-free, cloudflare-pro, cloudflare-business, cloudflare-enterprise",
    ],
    "a parent without a namespace": [
      { gateway: { ...GATEWAY_API_PARENT, parent: { name: "shared" } } },
      "gateway.parent.namespace",
      "nothing",
      ALLOWED.label,
    ],
    "a parent that is a text": [
      { gateway: { ...GATEWAY_API_PARENT, parent: "shared" } },
      "gateway.parent",
      '"shared"',
      "an object with the keys name, namespace, sectionName",
    ],
    "a class with a space": [
      gateway({ className: "my class" }),
      "gateway.className",
      '"my class"',
      ALLOWED.name,
    ],
    "TLS of an unknown kind": [
      gateway({ tls: { kind: "acme" } }),
      "gateway.tls.kind",
      '"acme"',
      "one of cert-manager, secret",
    ],
    "TLS with no issuer": [
      gateway({ tls: { kind: "cert-manager" } }),
      "gateway.tls.issuer",
      "nothing",
      ALLOWED.name,
    ],
    "TLS with an unknown kind of issuer": [
      gateway({ tls: { kind: "cert-manager", issuer: "a", issuerKind: "clusterissuer" } }),
      "gateway.tls.issuerKind",
      '"clusterissuer"',
      "ClusterIssuer, Issuer",
    ],
    "TLS from a Secret with no name": [
      gateway({ tls: { kind: "secret" } }),
      "gateway.tls.name",
      "nothing",
      ALLOWED.name,
    ],
    "Traefik without TLS": [
      { gateway: { kind: "traefik", host: "a.example.com" } },
      "gateway.tls",
      "nothing",
      "an object whose kind is cert-manager or secret",
    ],
    "Traefik's time-out as a number": [
      { gateway: { ...TRAEFIK, readTimeout: 3600 } },
      "gateway.readTimeout",
      "3600",
      "none, or a whole number with s, m, h, d, w or y, such as 2h",
    ],
    "Traefik's time-out with no unit": [
      { gateway: { ...TRAEFIK, readTimeout: "3600" } },
      "gateway.readTimeout",
      '"3600"',
      "none, or a whole number with s",
    ],
    "an nginx body limit in its own unit": [
      { gateway: { ...NGINX, bodyLimit: "20g" } },
      "gateway.bodyLimit",
      '"20g"',
      "none, or a whole number with Mi, Gi or Ti, such as 20Gi",
    ],
  });
});
