import type k8s from "@pulumi/kubernetes";

export type Container = k8s.types.input.core.v1.Container;
export type PodSpec = k8s.types.input.core.v1.PodSpec;
export type Probe = k8s.types.input.core.v1.Probe;
export type Volume = k8s.types.input.core.v1.Volume;
export type VolumeMount = k8s.types.input.core.v1.VolumeMount;
export type EnvVar = k8s.types.input.core.v1.EnvVar;
export type PodTemplate = k8s.types.input.core.v1.PodTemplateSpec;
export type EgressRule = k8s.types.input.networking.v1.NetworkPolicyEgressRule;
export type IngressRule = k8s.types.input.networking.v1.NetworkPolicyIngressRule;

/** Labels as Kubernetes has them: both sides plain text. */
export type Labels = Readonly<Record<string, string>>;
