import { apiVersion, text, type GroupVersionKind, type KubeObject } from "./object.ts";

const GROUPS: Record<string, string> = {
  "": "v1 core/v1",
  "admissionregistration.k8s.io": "v1 v1alpha1 v1beta1",
  "apiextensions.k8s.io": "v1 v1beta1",
  "apiregistration.k8s.io": "v1 v1beta1",
  apps: "v1 v1beta1 v1beta2",
  autoscaling: "v1 v2 v2beta1 v2beta2",
  batch: "v1 v1beta1 v2alpha1",
  "certificates.k8s.io": "v1 v1alpha1 v1beta1",
  "coordination.k8s.io": "v1 v1alpha1 v1alpha2 v1beta1",
  "discovery.k8s.io": "v1 v1beta1",
  "events.k8s.io": "v1 v1beta1",
  extensions: "v1beta1",
  "flowcontrol.apiserver.k8s.io": "v1 v1alpha1 v1beta1 v1beta2 v1beta3",
  meta: "v1",
  "networking.k8s.io": "v1 v1alpha1 v1beta1",
  "node.k8s.io": "v1 v1alpha1 v1beta1",
  policy: "v1 v1beta1",
  "rbac.authorization.k8s.io": "v1 v1alpha1 v1beta1",
  "resource.k8s.io": "v1 v1alpha1 v1alpha2 v1alpha3 v1beta1 v1beta2",
  "scheduling.k8s.io": "v1 v1alpha1 v1alpha2 v1beta1",
  "storage.k8s.io": "v1 v1alpha1 v1beta1",
  "storagemigration.k8s.io": "v1alpha1 v1beta1",
};

const BUILT_IN = new Set(
  Object.entries(GROUPS).flatMap(([group, versions]) =>
    versions.split(" ").map((version) => (group === "" ? version : `${group}/${version}`)),
  ),
);

const NAMESPACED = new Set(
  (
    "Binding ConfigMap ControllerRevision CronJob CSIStorageCapacity DaemonSet Deployment Endpoints " +
    "EndpointSlice Event HorizontalPodAutoscaler Ingress Job Lease LimitRange NetworkPolicy " +
    "PersistentVolumeClaim Pod PodDisruptionBudget PodTemplate ReplicaSet ReplicationController " +
    "ResourceQuota Role RoleBinding Secret Service ServiceAccount StatefulSet"
  ).split(" "),
);
const CLUSTER_WIDE = new Set(
  (
    "APIService CertificateSigningRequest ClusterRole ClusterRoleBinding CSIDriver CSINode " +
    "CustomResourceDefinition FlowSchema IngressClass MutatingWebhookConfiguration Namespace Node " +
    "PersistentVolume PodSecurityPolicy PriorityClass PriorityLevelConfiguration RuntimeClass StorageClass " +
    "ValidatingWebhookConfiguration VolumeAttachment"
  ).split(" "),
);

/** Whether Kubernetes itself has the group and version, so that its Go types say what a field means. */
export function isBuiltIn(object: KubeObject): boolean {
  return BUILT_IN.has(text(object, "apiVersion"));
}

/** Whether objects of a kind live in a namespace, as far as that is known without asking the server. */
export function knownNamespaced(kind: GroupVersionKind): boolean | undefined {
  if (!BUILT_IN.has(apiVersion(kind))) return undefined;
  if (NAMESPACED.has(kind.kind)) return true;
  return CLUSTER_WIDE.has(kind.kind) ? false : undefined;
}

export function isSecret(object: KubeObject): boolean {
  return isCore(object) && text(object, "kind") === "Secret";
}

export function isConfigMap(object: KubeObject): boolean {
  return isCore(object) && text(object, "kind") === "ConfigMap";
}

export function isCustomResourceDefinition(object: KubeObject): boolean {
  return (
    text(object, "kind") === "CustomResourceDefinition" &&
    text(object, "apiVersion").startsWith("apiextensions.k8s.io/")
  );
}

function isCore(object: KubeObject): boolean {
  return text(object, "apiVersion") === "v1" || text(object, "apiVersion") === "core/v1";
}
