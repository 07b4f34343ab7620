import { isConfigMap, isSecret } from "./kinds.ts";
import { field, kindOf, type KubeObject } from "./object.ts";

/** Settings of the provider that make data of a kind changeable in place. */
export interface Mutability {
  configMaps: boolean;
  secrets: boolean;
}

const selector = [
  ".spec.selector",
  ".spec.selector.matchExpressions",
  ".spec.selector.matchExpressions.key",
  ".spec.selector.matchExpressions.operator",
  ".spec.selector.matchExpressions.values",
  ".spec.selector.matchLabels",
];
const under = (prefix: string, names: string): string[] => names.split(" ").map((name) => prefix + name);

const container = under(
  ".",
  "args command env env.value image imagePullPolicy lifecycle livenessProbe ports readinessProbe resources " +
    "securityContext stdin stdinOnce terminationMessagePath terminationMessagePolicy tty volumeDevices " +
    "volumeMounts workingDir",
);
const pod = [
  ...under(
    ".spec.",
    "affinity automountServiceAccountToken dnsConfig dnsPolicy enableServiceLinks hostAliases hostIPC " +
      "hostNetwork hostPID hostname imagePullSecrets nodeName nodeSelector overhead preemptionPolicy priority " +
      "priorityClassName readinessGates restartPolicy runtimeClassName schedulerName securityContext " +
      "serviceAccount serviceAccountName shareProcessNamespace subdomain terminationGracePeriodSeconds volumes",
  ),
  ...[".spec.containers[*]", ".spec.initContainers[*]"].flatMap((prefix) =>
    container.map((name) => prefix + name),
  ),
];
const statefulSet = [
  ...under(".spec.", "podManagementPolicy revisionHistoryLimit serviceName volumeClaimTemplates"),
  ...selector,
];
const job = [...under(".spec.", "completions parallelism template"), ...selector];
const binding = { ClusterRoleBinding: [".roleRef"], RoleBinding: [".roleRef"] };
const workloads = { DaemonSet: selector, Deployment: selector, StatefulSet: statefulSet };

/** Fields whose change makes a new object, by `apiVersion` and kind, as the official plugin has them. */
const FORCE_NEW: Readonly<Record<string, Readonly<Record<string, readonly string[]>>>> = {
  "apps/v1beta1": { StatefulSet: statefulSet },
  "apps/v1beta2": workloads,
  "apps/v1": workloads,
  "policy/v1beta1": { PodDisruptionBudget: [".spec"] },
  "rbac.authorization.k8s.io/v1alpha1": binding,
  "rbac.authorization.k8s.io/v1beta1": binding,
  "rbac.authorization.k8s.io/v1": binding,
  "storage.k8s.io/v1": { StorageClass: [".parameters", ".provisioner"] },
  "batch/v1beta1": { Job: job },
  "batch/v1": { Job: job },
  "batch/v2alpha1": { Job: job },
  v1: {
    PersistentVolume: under(
      ".spec.",
      "awsElasticBlockStore azureDisk azureFile cephfs cinder csi fc flexVolume flocker gcePersistentDisk " +
        "glusterfs hostPath iscsi local nfs photonPersistentDisk portworxVolume quobyte rbd scaleIO storageos " +
        "vsphereVolume",
    ),
    PersistentVolumeClaim: [...under(".spec.", "accessModes storageClassName volumeName"), ...selector],
    Pod: pod,
    ResourceQuota: [".spec.scopes"],
    Secret: [".type"],
    Service: [".spec.clusterIP"],
  },
};

/** The paths of fields of this object whose change makes a new object. */
export function forceNewFields(object: KubeObject, mutable: Mutability): string[] {
  const { group, version, kind } = kindOf(object);
  const kinds = FORCE_NEW[group === "" ? version : `${group}/${version}`];
  const immutable = field(object, "immutable") === true;
  const own =
    isSecret(object) && (!mutable.secrets || immutable)
      ? [".type", ".stringData", ".data"]
      : (kinds?.[kind] ??
        (isConfigMap(object) && (!mutable.configMaps || immutable) ? [".binaryData", ".data"] : []));
  return [".metadata.name", ".metadata.namespace", ...own];
}
