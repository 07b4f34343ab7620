import { containersOf, type PodSpec } from "./objects.ts";

/** Kinds of volumes that the standard lets through. */
const VOLUMES = [
  "configMap",
  "csi",
  "downwardAPI",
  "emptyDir",
  "ephemeral",
  "persistentVolumeClaim",
  "projected",
  "secret",
];
const PROFILES = ["RuntimeDefault", "Localhost"];

/**
 * Everything in which a pod falls short of the Pod Security standard `restricted`, each control in its turn:
 * https://kubernetes.io/docs/concepts/security/pod-security-standards/
 */
export function faults(spec: PodSpec): string[] {
  const pod = spec.securityContext ?? {};
  const found: string[] = [];
  const check = (what: string, right: boolean) => {
    if (!right) found.push(what);
  };

  check("hostNetwork", spec.hostNetwork !== true);
  check("hostPID", spec.hostPID !== true);
  check("hostIPC", spec.hostIPC !== true);
  check("pod windowsOptions", pod.windowsOptions === undefined);
  check("pod sysctls", (pod.sysctls ?? []).length === 0);
  check("pod seLinuxOptions", pod.seLinuxOptions === undefined);
  check("pod runAsUser", pod.runAsUser !== 0);
  check("pod supplementalGroups", !(pod.supplementalGroups ?? []).includes(0));
  for (const volume of spec.volumes ?? []) {
    const kinds = Object.keys(volume).filter((key) => key !== "name");
    check(`volume ${volume.name}`, kinds.length === 1 && VOLUMES.includes(kinds[0]!));
  }
  check("ephemeral containers", (spec.ephemeralContainers ?? []).length === 0);

  for (const { name, securityContext: own = {}, ports = [], ...rest } of containersOf(spec)) {
    const { capabilities } = own;
    check(`${name}: privileged`, own.privileged !== true);
    check(`${name}: allowPrivilegeEscalation`, own.allowPrivilegeEscalation === false);
    check(`${name}: capabilities are not dropped`, capabilities?.drop?.includes("ALL") === true);
    check(
      `${name}: capabilities are added`,
      (capabilities?.add ?? []).every((added) => added === "NET_BIND_SERVICE"),
    );
    check(`${name}: runAsNonRoot`, (own.runAsNonRoot ?? pod.runAsNonRoot) === true);
    check(`${name}: runAsUser`, own.runAsUser !== 0);
    const profile = own.seccompProfile?.type ?? pod.seccompProfile?.type;
    check(`${name}: seccompProfile`, profile !== undefined && PROFILES.includes(profile));
    check(`${name}: procMount`, (own.procMount ?? "Default") === "Default");
    check(`${name}: seLinuxOptions`, own.seLinuxOptions === undefined);
    check(`${name}: appArmorProfile`, own.appArmorProfile?.type !== "Unconfined");
    check(`${name}: windowsOptions`, own.windowsOptions === undefined);
    check(
      `${name}: hostPort`,
      ports.every(({ hostPort }) => hostPort === undefined || hostPort === 0),
    );
    for (const hook of [
      rest.livenessProbe,
      rest.readinessProbe,
      rest.startupProbe,
      rest.lifecycle?.postStart,
    ]) {
      const hosts = [hook?.httpGet?.host, hook?.tcpSocket?.host];
      check(
        `${name}: host of a probe`,
        hosts.every((host) => host === undefined),
      );
    }
  }
  return found;
}
