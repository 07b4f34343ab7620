/** The parts of a Kubernetes workload that rules look at. What is only known later may be missing. */
export interface Container {
  name?: string;
  image?: string;
  command?: string[];
  args?: string[];
  env?: { name?: string; value?: string }[];
}

export interface Workload {
  metadata?: { name?: string; annotations?: Record<string, string> };
  spec?: {
    replicas?: number;
    strategy?: { type?: string };
    template?: { metadata?: { annotations?: Record<string, string> }; spec?: PodSpec };
    jobTemplate?: { spec?: { template?: { spec?: PodSpec } } };
  };
}

export interface PodSpec {
  containers?: Container[];
  initContainers?: Container[];
}

const WORKLOADS = [
  "apps/v1:Deployment",
  "apps/v1:StatefulSet",
  "apps/v1:DaemonSet",
  "apps/v1:ReplicaSet",
  "batch/v1:Job",
  "batch/v1:CronJob",
];

/** Whether a resource's type is a kind of workload, and which. */
export function workloadKind(type: string): string | undefined {
  const found = WORKLOADS.find((workload) => type === `kubernetes:${workload}`);
  return found?.split(":")[1];
}

/** All containers of a workload, also those of a CronJob's template. */
export function containersOf({ spec }: Workload): Container[] {
  const pod = spec?.template?.spec ?? spec?.jobTemplate?.spec?.template?.spec;
  return [...(pod?.initContainers ?? []), ...(pod?.containers ?? [])];
}
