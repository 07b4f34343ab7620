import { annotation, field, list, number, text, type KubeObject } from "../object.ts";
import { ownedPodErrors, siblings } from "./pods.ts";
import { condition, isTrue, owns, READY, title, WAITING, type Readiness, type Scene } from "./readiness.ts";

const REVISION = "deployment.kubernetes.io/revision";

/** Whether this is an older version of the object than the one that was written. */
function stale(object: KubeObject, { outputs }: Scene): boolean {
  return number(object, "metadata", "generation") < number(outputs, "metadata", "generation");
}

/** Whether the controller has seen this generation, so that the status speaks of it. */
function observed(object: KubeObject): boolean {
  return number(object, "status", "observedGeneration") >= number(object, "metadata", "generation");
}

export const deployment: Readiness = {
  onRead: true,
  polled: true,
  check: async (object, scene) => {
    if (stale(object, scene) || (!scene.reading && !observed(object))) return WAITING;
    const revision = annotation(object, REVISION);
    const available = isTrue(object, "Available");
    const progressing = condition(object, "Progressing");
    const rolledOut =
      text(progressing, "status") === "True" && text(progressing, "reason") === "NewReplicaSetAvailable";
    const sets = (await siblings(scene, "apps", "ReplicaSet")).filter((set) => owns(object, set));
    const set = revision === "" ? undefined : sets.find((item) => annotation(item, REVISION) === revision);
    const wanted = number(set, "spec", "replicas");
    const running = number(set, "status", "readyReplicas");
    const updated = set !== undefined && running >= wanted;
    const claims = await unboundClaims(object, scene);
    const whole = available && updated && (revision === "1" || rolledOut);
    if (whole && claims.length === 0) return READY;
    if (!updated) {
      const count = `(${running}/${wanted} Pods available)`;
      scene.say("info", `Waiting for app ReplicaSet to be available ${count}`);
    }
    const errors = [
      ...["Progressing", "Available"].flatMap((type) => conditionError(object, type)),
      ...(claims.length > 0 ? [`Failed to bind PersistentVolumeClaim(s): "${claims.join(",")}"`] : []),
    ];
    if (!available) errors.push("Minimum number of live Pods was not attained");
    else if (revision !== "1" && !rolledOut) {
      errors.push("Minimum number of Pods to consider the application live was not attained");
    } else if (!updated) {
      errors.push(
        revision === "1"
          ? "Minimum number of Pods to consider the application live was not attained"
          : "Attempted to roll forward to new ReplicaSet, but minimum number of Pods did not become live",
      );
    }
    return { ready: false, errors: async () => [...errors, ...(await ownedPodErrors(scene, set))] };
  },
};

function conditionError(object: KubeObject, type: string): string[] {
  const state = condition(object, type);
  if (!state || text(state, "status") === "True" || text(state, "message") === "") return [];
  return [`[${text(state, "reason")}] ${text(state, "message")}`];
}

async function unboundClaims(object: KubeObject, scene: Scene): Promise<string[]> {
  const volumes = list(object, "spec", "template", "spec", "volumes");
  const names = volumes
    .map((volume) => text(volume, "persistentVolumeClaim", "claimName"))
    .filter((claim) => claim !== "");
  if (names.length === 0) return [];
  const claims = await siblings(scene, "", "PersistentVolumeClaim");
  return claims
    .filter((claim) => names.includes(text(claim, "metadata", "name")))
    .filter((claim) => text(claim, "status", "phase") !== "Bound")
    .map((claim) => text(claim, "metadata", "name"));
}

export const statefulSet: Readiness = {
  onRead: true,
  check: (object, scene) => {
    const replicas = number(object, "spec", "replicas");
    const status = (name: string): number => number(object, "status", name);
    const first = number(object, "metadata", "generation") <= 1;
    const current = text(object, "status", "currentRevision");
    const target = text(object, "status", "updateRevision");
    const trusted = !stale(object, scene) && observed(object);
    const manual = !first && text(object, "spec", "updateStrategy", "type") === "OnDelete";
    const revisionReady = trusted && (manual || (current !== "" && current === target));
    const replicasReady =
      trusted &&
      replicas === status("replicas") &&
      replicas === status("readyReplicas") &&
      (manual || replicas === status("currentReplicas"));
    if (revisionReady && replicasReady) return READY;
    const ready = revisionReady
      ? status("readyReplicas")
      : Math.min(status("readyReplicas"), status("updatedReplicas"));
    if (first) {
      scene.say("info", `[1/2] Waiting for StatefulSet to create Pods (${ready}/${replicas} Pods ready)`);
    } else if (!replicasReady) {
      scene.say("info", `[1/3] Waiting for StatefulSet update to roll out (${ready}/${replicas} Pods ready)`);
    } else {
      scene.say("info", "[2/3] Waiting for StatefulSet to update .status.currentRevision");
    }
    return {
      ready: false,
      errors: async () => [
        ...(replicasReady ? [] : [`${ready} out of ${replicas} replicas succeeded readiness checks`]),
        ...(revisionReady
          ? []
          : [`StatefulSet controller failed to advance from revision "${current}" to revision "${target}"`]),
        ...(await ownedPodErrors(scene, object)),
      ],
    };
  },
};

export const daemonSet: Readiness = {
  onRead: true,
  check: (object, scene) => {
    const status = (name: string): number => number(object, "status", name);
    const desired = status("desiredNumberScheduled");
    const counts = ["currentNumberScheduled", "updatedNumberScheduled", "numberAvailable", "numberReady"];
    const known = field(object, "status", "desiredNumberScheduled") !== undefined;
    const complete = known && counts.every((name) => status(name) >= desired);
    if (!stale(object, scene) && observed(object) && complete) return READY;
    scene.say("info", `Waiting for DaemonSet: ${status("numberReady")}/${desired} Pods ready`);
    return { ready: false, errors: () => ownedPodErrors(scene, object) };
  },
};

export const job: Readiness = {
  onRead: true,
  check: (object, scene) => {
    const errors = (own: string[]) => async (): Promise<string[]> => [
      ...(await ownedPodErrors(scene, object)),
      ...own,
    ];
    const failed = condition(object, "Failed");
    const reason = text(failed, "reason");
    if (text(failed, "status") === "True" && ["BackoffLimitExceeded", "DeadlineExceeded"].includes(reason)) {
      return { ready: false, fatal: true, errors: errors([`[${reason}] ${text(failed, "message")}`]) };
    }
    if (text(object, "status", "startTime") === "") {
      scene.say("info", `Waiting for Job "${title(object)}" to start`);
      return { ready: false, errors: errors([]) };
    }
    if (isTrue(object, "Complete")) return READY;
    const count = (name: string): number => number(object, "status", name);
    const counts = `(Active: ${count("active")} | Succeeded: ${count("succeeded")} | Failed: ${count("failed")})`;
    scene.say("info", `Waiting for Job "${title(object)}" to succeed ${counts}`);
    return { ready: false, errors: errors([]) };
  },
};

export const replicationController: Readiness = {
  onRead: false,
  check: (object) => ({
    ready: field(object, "spec", "replicas") === field(object, "status", "availableReplicas"),
  }),
};
