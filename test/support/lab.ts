/** What the settings of Pulumi.lab.yaml make, counted by type. */
export const LAB_RESOURCES: Readonly<Record<string, number>> = {
  "attic-stack:attic:Caches": 1,
  "attic-stack:database:Postgres": 1,
  "attic-stack:gateway:GatewayApi": 1,
  "attic-stack:platform:Platform": 1,
  "attic-stack:server:AtticServer": 1,
  "attic-stack:storage:Garage": 1,
  "attic:index:AccessToken": 2,
  "attic:index:Cache": 2,
  "kubernetes:apps/v1:Deployment": 1,
  "kubernetes:apps/v1:StatefulSet": 3,
  "kubernetes:batch/v1:Job": 1,
  "kubernetes:cert-manager.io/v1:Certificate": 1,
  "kubernetes:core/v1:ConfigMap": 4,
  "kubernetes:core/v1:Namespace": 1,
  "kubernetes:core/v1:PersistentVolumeClaim": 3,
  "kubernetes:core/v1:Secret": 4,
  "kubernetes:core/v1:Service": 3,
  "kubernetes:gateway.networking.k8s.io/v1:Gateway": 1,
  "kubernetes:gateway.networking.k8s.io/v1:HTTPRoute": 3,
  "kubernetes:networking.k8s.io/v1:NetworkPolicy": 8,
  "pulumi:providers:attic": 1,
  "random:index/randomId:RandomId": 1,
  "random:index/randomPassword:RandomPassword": 4,
  "tls:index/privateKey:PrivateKey": 2,
  "tls:index/selfSignedCert:SelfSignedCert": 1,
};

const count = (chosen: (type: string) => boolean) =>
  Object.entries(LAB_RESOURCES)
    .filter(([type]) => chosen(type))
    .reduce((sum, [, one]) => sum + one, 0);
const all = count(() => true) + 1;

/** The same in the numbers that a start and the engine show; the stack itself counts as a resource there. */
export const LAB = {
  components: count((type) => type.startsWith("attic-stack:")),
  resources: count((type) => !/^(attic-stack|pulumi):/.test(type)),
  all,
  inState: all + ["kubernetes", "random", "tls"].length,
};

/**
 * What runs for a started stack, by the names of the programs: the cluster, the one that makes its pods answer, and what
 * that runs, with one garbage collector.
 */
export function programsOf(apiServers: number): string[] {
  const cluster = ["etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler", "kwok"];
  const ours = Array.from({ length: 1 + apiServers + 1 }, () => "node");
  return [...cluster, ...ours, "postgres", "versitygw"];
}
