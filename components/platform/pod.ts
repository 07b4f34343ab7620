import type { Resources } from "../settings/leaf.ts";
import type { Container, PodSpec, Volume } from "./types.ts";

/** The user of an image that does not care which one it runs as. */
export const NOBODY = 65532;

/**
 * A pod that the Pod Security standard `restricted` admits and that has no token of a service account.
 *
 * @param user numeric id of user and group; its volumes belong to that group.
 */
export function restrictedPod(user: number, spec: PodSpec): PodSpec {
  return {
    automountServiceAccountToken: false,
    enableServiceLinks: false,
    securityContext: {
      runAsNonRoot: true,
      runAsUser: user,
      runAsGroup: user,
      fsGroup: user,
      // A volume of millions of chunks is not walked through at every start.
      fsGroupChangePolicy: "OnRootMismatch",
      seccompProfile: { type: "RuntimeDefault" },
    },
    ...spec,
  };
}

/** A container that `restricted` admits, with a root file system that cannot be written. */
export function restrictedContainer(container: Container): Container {
  return {
    imagePullPolicy: "IfNotPresent",
    securityContext: {
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ["ALL"] },
    },
    ...container,
  };
}

/** Room for small files that go with the pod. What outgrows it is evicted, and not its neighbours on the node. */
export function scratch(name: string): Volume {
  return { name, emptyDir: { sizeLimit: "256Mi" } };
}

/** Requests and limits in the form of a container. */
export function resourceRequirements(resources: Resources): NonNullable<Container["resources"]> {
  const { cpu, cpuLimit, memory, memoryLimit } = resources;
  return {
    requests: { cpu, memory },
    limits: { memory: memoryLimit, ...(cpuLimit !== undefined && { cpu: cpuLimit }) },
  };
}
