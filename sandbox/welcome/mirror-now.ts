import { connect } from "../programs/cluster.ts";

interface CronJob {
  metadata: { name: string; uid: string };
  spec: { jobTemplate: { metadata?: { labels?: object }; spec: object } };
}

/**
 * Has the mirrors of a namespace run at once, as `kubectl create job --from=cronjob/…` does, and does not wait for them.
 *
 * @param kubeconfig path of the administrator's.
 */
export async function mirrorNow(kubeconfig: string, namespace: string): Promise<void> {
  const api = await connect(kubeconfig);
  try {
    const jobs = `/apis/batch/v1/namespaces/${namespace}`;
    const selector = "app.kubernetes.io/part-of=attic-stack,app.kubernetes.io/component=mirror";
    const list = await api.call("GET", `${jobs}/cronjobs?labelSelector=${encodeURIComponent(selector)}`);
    const { items } = JSON.parse(list) as { items: CronJob[] };
    for (const each of items) await api.call("POST", `${jobs}/jobs`, JSON.stringify(jobOf(each)));
  } finally {
    api.close();
  }
}

function jobOf({ metadata: { name, uid }, spec: { jobTemplate } }: CronJob): object {
  return {
    apiVersion: "batch/v1",
    kind: "Job",
    metadata: {
      ...jobTemplate.metadata,
      generateName: `${name}-now-`,
      annotations: { "cronjob.kubernetes.io/instantiate": "manual" },
      ownerReferences: [{ apiVersion: "batch/v1", kind: "CronJob", name, uid, controller: true }],
    },
    spec: jobTemplate.spec,
  };
}
