import k8s from "@pulumi/kubernetes";
import type pulumi from "@pulumi/pulumi";
import type { Role } from "./labels.ts";
import type { Platform } from "./platform.ts";
import type { Labels, PodSpec } from "./types.ts";

export interface SingleArgs {
  platform: Platform;
  role: Role;
  pod: PodSpec;
  /** Labels of the pod beside those of its role: what it may reach. */
  labels?: Labels;
  /** The Service that it answers under; one that answers nobody has none. */
  service?: pulumi.Input<string>;
}

/**
 * A pod of which there is one and never two: its next one is not made before the last one is known to be gone,
 * where a Deployment would make it as soon as a node stops answering.
 */
export function single(
  name: string,
  { platform, role, pod, labels, service = name }: SingleArgs,
  opts: pulumi.CustomResourceOptions,
): k8s.apps.v1.StatefulSet {
  const metadata = platform.named(name, role);
  return new k8s.apps.v1.StatefulSet(
    name,
    {
      metadata,
      spec: {
        serviceName: service,
        replicas: 1,
        // In order, a pod that never comes up would not even be replaced by one of a mended template
        // (kubernetes#67250). With one replica there is no order to keep.
        podManagementPolicy: "Parallel",
        selector: { matchLabels: platform.selector(role) },
        template: { metadata: { labels: { ...metadata.labels, ...labels } }, spec: pod },
      },
    },
    opts,
  );
}
