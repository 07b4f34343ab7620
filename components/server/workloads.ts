import k8s from "@pulumi/kubernetes";
import type pulumi from "@pulumi/pulumi";
import { type Container, type Labels, type Platform, type Role, single } from "../platform/index.ts";
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
 * The API servers, and the one collector, which takes no lock and so must never be two. A local store can be
 * mounted by one pod only, so there both are in one.
 *
 * @returns what serves the API.
 */
export function workloads(name: string, args: WorkloadsArgs): pulumi.Resource {
  const { platform, role, pod, clientLabels: labels, parent, dependsOn } = args;
  const { image } = pod.settings;
  const one = (of: string, as: Role, containers: Container[]) =>
    single(
      of,
      { platform, role: { ...as, image }, labels, pod: atticPod(pod, containers, GRACE) },
      { parent, dependsOn },
    );
  if (pod.claim !== undefined) return one(name, role, [apiContainer(pod), collectorContainer(pod)]);
  one(`${name}-collector`, COLLECTOR, [collectorContainer(pod)]);
  return apiServers(name, args);
}

function apiServers(name: string, args: WorkloadsArgs): pulumi.Resource {
  const { platform, role, pod, clientLabels, parent, dependsOn } = args;
  const { replicas, image } = pod.settings;
  const pods = platform.selector(role);
  const several = replicas > 1;
  const metadata = platform.named(name, { ...role, image });
  const deployment = new k8s.apps.v1.Deployment(
    name,
    {
      metadata,
      spec: {
        replicas,
        // A new server is ready before an old one goes.
        strategy: { type: "RollingUpdate", rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } },
        selector: { matchLabels: pods },
        template: {
          metadata: { labels: { ...metadata.labels, ...clientLabels } },
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
  return deployment;
}
