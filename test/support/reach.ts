import { type Labels, matches, type Policy } from "./objects.ts";

/** Something that sends or answers: a pod with its namespace, or an address outside of the cluster. */
export type Place = { namespace: string; labels: Labels } | "outside";

export interface Port {
  protocol: "TCP" | "UDP";
  port: number;
}

type Rule = NonNullable<NonNullable<Policy["spec"]>["egress"]>[number];
type Peer = NonNullable<Rule["to"]>[number];

/**
 * What Kubernetes' network policies say to one connection. It is strict where network plugins differ: a block
 * of addresses also holds those of pods. Only forms that the stack uses are known; others throw.
 */
export function mayReach(policies: readonly Policy[], from: Place, to: Place, port: Port): boolean {
  return lets(policies, "Egress", from, to, port) && lets(policies, "Ingress", to, from, port);
}

function lets(
  policies: readonly Policy[],
  direction: "Egress" | "Ingress",
  subject: Place,
  other: Place,
  port: Port,
): boolean {
  if (subject === "outside") return true;
  const governing = policies.filter(
    ({ metadata, spec }) =>
      metadata?.namespace === subject.namespace &&
      spec?.policyTypes?.includes(direction) === true &&
      matches(spec.podSelector as { matchLabels?: Labels }, subject.labels),
  );
  if (governing.length === 0) return true;
  return governing.some(({ spec }) => {
    const rules = direction === "Egress" ? spec?.egress : (spec?.ingress as Rule[] | undefined);
    return (rules ?? []).some((rule) => {
      const peers = direction === "Egress" ? rule.to : (rule as { from?: Peer[] }).from;
      return (
        (peers === undefined || peers.some((peer) => isPeer(peer, subject.namespace, other))) &&
        (rule.ports === undefined || rule.ports.some((one) => isPort(one, port)))
      );
    });
  });
}

function isPort(allowed: NonNullable<Rule["ports"]>[number], { protocol, port }: Port): boolean {
  if (typeof allowed.port !== "number" || allowed.endPort !== undefined)
    throw new Error(`unknown form of a port: ${JSON.stringify(allowed)}`);
  return allowed.protocol === protocol && allowed.port === port;
}

function isPeer(peer: Peer, namespace: string, other: Place): boolean {
  const { ipBlock, podSelector, namespaceSelector } = peer;
  if (ipBlock !== undefined) {
    if (!["0.0.0.0/0", "::/0"].includes(ipBlock.cidr ?? "") || ipBlock.except !== undefined)
      throw new Error(`unknown form of a block: ${JSON.stringify(ipBlock)}`);
    return true;
  }
  if (other === "outside") return false;
  const inNamespace =
    namespaceSelector === undefined
      ? other.namespace === namespace
      : matches(namespaceSelector as { matchLabels?: Labels }, {
          "kubernetes.io/metadata.name": other.namespace,
        });
  return inNamespace && matches(podSelector as { matchLabels?: Labels } | undefined, other.labels);
}
