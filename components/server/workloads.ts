import k8s from "@pulumi/kubernetes";
import type pulumi from "@pulumi/pulumi";
import type { Labels, Platform, Role } from "../platform/index.ts";
import { apiContainer, type AtticPodArgs, atticPod, collectorContainer, spread } from "./pod.ts";

const COLLECTOR: Role = { name: "attic", component: "collector" };

/** An upload that is under way when a server is told to go has this long, in seconds. */
const GRACE = { terminationGracePeriodSeconds: 60 };

export interface WorkloadsArgs {
  platform: Platform;
  role: Role;
  pod: AtticPodArgs;
  /** Labels that let the pods through to the database and the store. */
  clientLabels: Labels;
  parent: pulumi.Resource;
  dependsOn: pulumi.Resource[];
}

/**
 * The API servers, and the one collector. A StatefulSet of one is what Kubernetes has for "never two": its
 * next pod is not made before the last one is known to be gone, where a Deployment would make it as soon as
 * a node stops answering. A local store can be mounted by one pod only, so there both are in one.
 */
export function workloads(name: string, args: WorkloadsArgs): void {
  if (args.pod.claim !== undefined) {
    one(name, args.role, args, [apiContainer(args.pod), collectorContainer(args.pod)]);
    return;
  }
  apiServers(name, args);
  const collector: WorkloadsArgs = { ...args, role: COLLECTOR };
  one(`${name}-collector`, COLLECTOR, collector, [collectorContainer(args.pod)]);
}

function apiServers(name: string, args: WorkloadsArgs): void {
  const { platform, role, pod, parent, dependsOn } = args;
  const { replicas } = pod.settings;
  const pods = platform.selector(role);
  const several = replicas > 1;
  new k8s.apps.v1.Deployment(
    name,
    {
      metadata: platform.named(name, role),
      spec: {
        replicas,
        // A new server is ready before an old one goes.
        strategy: { type: "RollingUpdate", rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } },
        selector: { matchLabels: pods },
        template: {
          metadata: podMetadata(args),
          spec: atticPod(pod, [apiContainer(pod)], { ...GRACE, ...(several && spread(pods)) }),
        },
      },
    },
    { parent, dependsOn },
  );
  if (several) {
    new k8s.policy.v1.PodDisruptionBudget(
      name,
      { metadata: platform.named(name, role), spec: { maxUnavailable: 1, selector: { matchLabels: pods } } },
      { parent },
    );
  }
}

function one(
  name: string,
  role: Role,
  args: WorkloadsArgs,
  containers: Parameters<typeof atticPod>[1],
): void {
  const { platform, pod, parent, dependsOn } = args;
  new k8s.apps.v1.StatefulSet(
    name,
    {
      metadata: platform.named(name, role),
      spec: {
        serviceName: name,
        replicas: 1,
        selector: { matchLabels: platform.selector(role) },
        template: { metadata: podMetadata(args), spec: atticPod(pod, containers, GRACE) },
      },
    },
    { parent, dependsOn },
  );
}

function podMetadata({ platform, role, clientLabels }: WorkloadsArgs) {
  return { labels: { ...platform.unnamed(role).labels, ...clientLabels } };
}
