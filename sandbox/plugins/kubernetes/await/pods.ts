import { field, list, number, text, type KubeObject } from "../object.ts";
import type { Value } from "../../../../provider/protocol/values.ts";
import { condition, isTrue, owns, READY, title, type Readiness, type Scene } from "./readiness.ts";

/** What keeps one pod from being ready, in the words of the official plugin; empty where it only takes time. */
export function podErrors(pod: KubeObject): string[] {
  if (!isTrue(pod, "PodScheduled")) return [];
  for (const type of ["Initialized", "Ready"]) {
    const state = condition(pod, type);
    if (!state) return [];
    if (text(state, "status") === "True") continue;
    if (type === "Ready" && text(pod, "status", "phase") === "Succeeded") return [];
    const containers = list(pod, "status", "containerStatuses").flatMap(containerErrors);
    const message = text(state, "message");
    if (containers.length === 0 && message === "") return [];
    const reason = text(state, "reason") === "" ? "" : message;
    return [`[Pod ${title(pod)}]: ${reason}${containers.join("\n")}`];
  }
  return [];
}

function containerErrors(status: Value): string[] {
  if (field(status, "ready") === true) return [];
  const errors: string[] = [];
  const waiting = text(status, "state", "waiting", "reason");
  if (field(status, "state", "waiting") !== undefined && waiting !== "ContainerCreating") {
    errors.push(`[${waiting}] ${trim(text(status, "state", "waiting", "message"))}`);
  }
  const ended = text(status, "state", "terminated", "reason");
  if (ended !== "") {
    const message = text(status, "state", "terminated", "message");
    const code = number(status, "state", "terminated", "exitCode");
    errors.push(
      message === ""
        ? `container "${text(status, "name")}" completed with exit code ${code}`
        : `[${ended}] ${trim(message)}`,
    );
  }
  const last = field(status, "lastState", "terminated");
  if (last !== undefined) {
    const at = text(last, "finishedAt");
    const why = `${text(last, "reason")}: exit code ${number(last, "exitCode")}`;
    errors.push(`container "${text(status, "name")}" terminated at ${at} (${why})`);
    if (text(last, "message") !== "") errors.push(text(last, "message"));
  }
  return errors;
}

function trim(message: string): string {
  return message
    .replace(/^rpc error: code = Unknown desc = Error response from daemon: /, "")
    .replace(/: manifest unknown$/, "");
}

/** The objects of a kind in the namespace of the one that is waited for. */
export async function siblings(scene: Scene, group: string, kind: string): Promise<KubeObject[]> {
  const path = await scene.discovery.collection(
    { group, version: "v1", kind },
    text(scene.outputs, "metadata", "namespace"),
  );
  return list(await scene.api.get(path), "items") as KubeObject[];
}

/** One object of a core kind in the namespace of the one that is waited for. */
export async function sibling(scene: Scene, kind: string, name: string): Promise<KubeObject | undefined> {
  const namespace = text(scene.outputs, "metadata", "namespace");
  const path = await scene.discovery.collection({ group: "", version: "v1", kind }, namespace);
  return scene.api.find(`${path}/${name}`);
}

/** What keeps the pods of an owner from being ready. */
export async function ownedPodErrors(scene: Scene, owner: KubeObject | undefined): Promise<string[]> {
  const pods = await siblings(scene, "", "Pod").catch(() => []);
  return pods.filter((pod) => owns(owner, pod)).flatMap(podErrors);
}

export const pod: Readiness = {
  onRead: true,
  check: (object, { say }) => {
    const phases: [string, boolean][] = [
      ["scheduled", isTrue(object, "PodScheduled")],
      ["initialized", isTrue(object, "Initialized")],
      ["ready", isTrue(object, "Ready") || text(object, "status", "phase") === "Succeeded"],
    ];
    const missing = phases.find(([, reached]) => !reached);
    if (!missing) return READY;
    say("info", `Waiting for Pod "${title(object)}" to be ${missing[0]}`);
    return { ready: false, errors: () => podErrors(object) };
  },
};
