import type pulumi from "@pulumi/pulumi";
import type { EgressRule, IngressRule, Labels } from "./types.ts";

/** Every address, for what lies outside the cluster and may move. */
const ANYWHERE = [{ ipBlock: { cidr: "0.0.0.0/0" } }, { ipBlock: { cidr: "::/0" } }];

const tcp = (port: number | string) => ({ protocol: "TCP", port });

/** To pods of the same namespace. */
export function toPods(labels: Labels, port: number | string): EgressRule {
  return { to: [{ podSelector: { matchLabels: labels } }], ports: [tcp(port)] };
}

/** From pods of the same namespace. */
export function fromPods(labels: Labels, port: number | string): IngressRule {
  return { from: [{ podSelector: { matchLabels: labels } }], ports: [tcp(port)] };
}

/**
 * From the gateway: every pod of its namespace, and the addresses of nodes or load balancers where its packets
 * come from those, which no selector of namespaces matches.
 */
export function fromGateway(
  namespace: string,
  sources: readonly string[],
  port: number | string,
): IngressRule {
  return {
    from: [
      { namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": namespace } } },
      ...sources.map((cidr) => ({ ipBlock: { cidr } })),
    ],
    ports: [tcp(port)],
  };
}

/**
 * To a server that somebody else runs. Policies look at a packet after a Service's address and port have become
 * a pod's, so a name inside the cluster may lead to any port of any pod.
 */
export function toServer(host: string, port: number): EgressRule[] {
  const inside = /(\.svc|\.svc\.cluster\.local|^[^.:]+)$/.test(host);
  return [toAnywhere(port), ...(inside ? [{ to: [{ namespaceSelector: {} }] }] : [])];
}

/** To a port of any address. */
export function toAnywhere(port: pulumi.Input<number>): EgressRule {
  return { to: ANYWHERE, ports: [{ protocol: "TCP", port }] };
}
/**
 * To the gateway, by its public name. Where the name leads to a load balancer outside, the packet goes to
 * port 443 of some address; where the cluster takes the short way, it goes to the controller's own pods, on
 * whatever port they listen.
 */
export function toGateway(controllerNamespace: string): EgressRule[] {
  return [
    toAnywhere(443),
    { to: [{ namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": controllerNamespace } } }] },
  ];
}

/** To any name server: in the cluster, or the cache on the node that some clusters have. */
export const toNameServers: EgressRule = {
  ports: [
    { protocol: "UDP", port: 53 },
    { protocol: "TCP", port: 53 },
  ],
};
