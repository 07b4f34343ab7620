/** The parts of a Kubernetes workload that rules look at. What is only known later may be missing. */
export interface Container {
  name?: string;
  image?: string;
  command?: string[];
  args?: string[];
  env?: { name?: string; value?: string }[];
}

interface PodTemplate {
  metadata?: { annotations?: Record<string, string> };
  spec?: PodSpec;
}

export interface Workload {
  metadata?: { name?: string; annotations?: Record<string, string> };
  /** A bare Pod has its containers right here. */
  spec?: PodSpec & {
    replicas?: number;
    parallelism?: number;
    concurrencyPolicy?: string;
    strategy?: { type?: string };
    template?: PodTemplate;
    jobTemplate?: { spec?: { template?: PodTemplate } };
  };
}

export interface PodSpec {
  containers?: Container[];
  initContainers?: Container[];
}

const WORKLOADS = [
  "core/v1:Pod",
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

/** The template of a workload's pods, also that of a CronJob; of a bare Pod, what stands for one. */
export function templateOf({ metadata, spec }: Workload): PodTemplate {
  return (
    spec?.template ??
    spec?.jobTemplate?.spec?.template ?? { ...(metadata && { metadata }), ...(spec && { spec }) }
  );
}

/** All containers of a workload. */
export function containersOf(workload: Workload): Container[] {
  const { spec } = templateOf(workload);
  return [...(spec?.initContainers ?? []), ...(spec?.containers ?? [])];
}
