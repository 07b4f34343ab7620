import k8s from "@pulumi/kubernetes";
import pulumi from "@pulumi/pulumi";
import { objectLabels, type Role, selectorLabels } from "./labels.ts";
import { toNameServers } from "./network.ts";
import type { EgressRule, IngressRule, Labels } from "./types.ts";

export interface PlatformArgs {
  /** Name of the namespace. */
  namespace: string;
  /** Namespace of the gateway's own pods. */
  gatewayNamespace: string;
  /** Addresses that the gateway's packets come from, where its pods have none of their own. */
  gatewaySources: readonly string[];
  /** Whether the engine refuses to delete what holds data, and the keys without which that is lost. */
  protectData: boolean;
}

/** What one network policy lets through; a direction that is left out is not governed by it. */
export interface Traffic {
  ingress?: IngressRule[];
  egress?: pulumi.Input<EgressRule[]>;
}

/**
 * The ground that every other component stands on: a namespace that enforces Pod Security `restricted`, and
 * in which no packet moves that nobody has allowed. Kubernetes adds policies up, so each component allows
 * what it needs beside its own pods.
 */
export class Platform extends pulumi.ComponentResource {
  /** Name of the namespace; whoever uses it waits until it is there. */
  readonly namespace: pulumi.Output<string>;
  /** The same name, known while planning, for what is only written and never waited for. */
  readonly namespaceName: string;
  readonly gatewayNamespace: string;
  readonly gatewaySources: readonly string[];
  readonly protectData: boolean;
  /** The stack's name, which tells its objects from another stack's. */
  readonly instance: string;

  constructor(name: string, args: PlatformArgs, opts?: pulumi.ComponentResourceOptions) {
    super("attic-stack:platform:Platform", name, {}, opts);
    this.instance = pulumi.getStack();
    this.namespaceName = args.namespace;
    this.gatewayNamespace = args.gatewayNamespace;
    this.gatewaySources = args.gatewaySources;
    this.protectData = args.protectData;

    const labels = objectLabels(this.instance, { name: "attic", component: "platform" });
    const namespace = new k8s.core.v1.Namespace(
      `${name}-namespace`,
      { metadata: { name: args.namespace, labels: { ...labels, ...POD_SECURITY } } },
      { parent: this },
    );
    this.namespace = namespace.metadata.name;

    new k8s.networking.v1.NetworkPolicy(
      `${name}-default-deny`,
      {
        metadata: { name: "default-deny", namespace: this.namespace, labels },
        spec: { podSelector: {}, policyTypes: ["Ingress", "Egress"], egress: [toNameServers] },
      },
      { parent: this },
    );
    this.registerOutputs({ namespace: this.namespace });
  }

  /** Metadata for an object with a fixed name, so that people and other components find it. */
  named(name: string, role: Role): { name: string; namespace: pulumi.Output<string>; labels: Labels } {
    return { name, ...this.unnamed(role) };
  }

  /**
   * Metadata for an object whose name Pulumi makes up: a ConfigMap, a Secret or a Job, which cannot be
   * changed in place. A new one has a new name, and so whatever mounts it is rolled.
   */
  unnamed(role: Role): { namespace: pulumi.Output<string>; labels: Labels } {
    return { namespace: this.namespace, labels: objectLabels(this.instance, role) };
  }

  selector(role: Role): Labels {
    return selectorLabels(this.instance, role);
  }

  /** Lets traffic through to or from the pods that carry `pods`. */
  allow(
    name: string,
    pods: Labels,
    traffic: Traffic,
    opts: pulumi.CustomResourceOptions & { role: Role },
  ): k8s.networking.v1.NetworkPolicy {
    const { role, ...rest } = opts;
    const policyTypes = [...(traffic.ingress ? ["Ingress"] : []), ...(traffic.egress ? ["Egress"] : [])];
    return new k8s.networking.v1.NetworkPolicy(
      name,
      {
        metadata: this.named(name, role),
        spec: { podSelector: { matchLabels: pods }, policyTypes, ...traffic },
      },
      rest,
    );
  }
}

const POD_SECURITY: Labels = {
  "pod-security.kubernetes.io/enforce": "restricted",
  "pod-security.kubernetes.io/audit": "restricted",
  "pod-security.kubernetes.io/warn": "restricted",
};
