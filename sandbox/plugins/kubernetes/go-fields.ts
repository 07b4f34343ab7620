/**
 * What Kubernetes' Go types (k8s.io/api v0.36) leave out of JSON where it is empty. The official plugin reads
 * every input into those types and writes it again before it compares or stores it, so `hostNetwork: false`
 * or `args: []` vanish from the inputs as they vanish from what the API server answers.
 */
const words = (text: string): string[] => text.split(" ");

/** Booleans, numbers and strings that are left out where they are false, 0 or "", whatever they stand in. */
export const DROPPED_SCALARS = new Set(
  words(
    "chapAuthDiscovery chapAuthSession globalDefault hostIPC hostNetwork hostPID paused " +
      "publishNotReadyAddresses sslEnabled stdin stdinOnce tty readOnly failureThreshold generation " +
      "healthCheckNodePort hostPort initialDelaySeconds minReadySeconds nodePort number successThreshold " +
      "certificateChainPath clusterIP component concurrencyPolicy controller credentialBundlePath datasetName " +
      "datasetUUID description directory dnsPolicy externalName externalTrafficPolicy generateName group health " +
      "host hostIP hostname imagePullPolicy iscsiInterface keyPath keyType keyring loadBalancerIP medium " +
      "nodeName persistentVolumeReclaimPolicy podManagementPolicy pool prefix priorityClassName " +
      "protectionDomain pullPolicy reference request resourceVersion revision schedulerName scheme secretFile " +
      "selfLink serviceAccount serviceAccountName sessionAffinity storageMode storagePolicyID " +
      "storagePolicyName storagePool subPath subPathExpr subdomain targetContainerName tenant " +
      "terminationMessagePath terminationMessagePolicy user volumeNamespace whenDeleted whenScaled workingDir",
  ),
);

/** The same, but only in an object (or a list) of one of these names, because elsewhere the field is kept. */
export const DROPPED_SCALARS_IN: Readonly<Record<string, readonly string[]>> = {
  apiGroup: ["subjects"],
  apiVersion: ["fieldRef"],
  audience: ["serviceAccountToken"],
  containerName: ["resourceFieldRef"],
  effect: ["tolerations"],
  image: ["containers", "initContainers", "ephemeralContainers"],
  key: ["tolerations"],
  name: ["metadata", "ports", "port", "secretRef"],
  namespace: ["metadata", "subjects", "secretRef"],
  operator: ["tolerations"],
  path: ["httpGet", "paths"],
  periodSeconds: ["livenessProbe", "readinessProbe", "startupProbe"],
  secretName: ["secret", "tls"],
  timeoutSeconds: ["livenessProbe", "readinessProbe", "startupProbe"],
  type: ["", "strategy", "updateStrategy"],
  value: ["env", "tolerations", "taints"],
};

/** Objects that keep a `readOnly: false`. */
export const KEEP_READ_ONLY: ReadonlySet<string> = new Set(["azureDisk", "csi"]);

/** Lists that are written even where they are empty; all others are left out. */
export const KEPT_LISTS = new Set(
  words("containers monitors nodeSelectorTerms paths sources verbs subsets webhooks"),
);

/** Lists that are kept in objects of these kinds only. */
export const KEPT_LISTS_OF: Readonly<Record<string, readonly string[]>> = {
  limits: ["LimitRange"],
  rules: ["ClusterRole", "Role"],
};

/** Free-form maps: left out where they are empty, and nothing inside them is looked at. */
export const MAPS = new Set(
  words(
    "labels annotations matchLabels nodeSelector data binaryData stringData limits requests capacity hard " +
      "overhead podFixed parameters volumeAttributes mountOptions options attributes default defaultRequest " +
      "max min maxLimitRequestRatio",
  ),
);

/** Maps whose values are quantities. */
export const QUANTITY_MAPS = new Set(
  words(
    "limits requests capacity hard overhead podFixed default defaultRequest max min maxLimitRequestRatio",
  ),
);

/** Fields that are quantities themselves. */
export const QUANTITIES = new Set(words("sizeLimit divisor averageValue"));
