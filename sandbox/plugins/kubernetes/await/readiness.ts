import type { Severity } from "../../../../provider/protocol/engine.ts";
import type { Api } from "../api.ts";
import type { Discovery } from "../discovery.ts";
import { list, text, type KubeObject } from "../object.ts";

/** What a check of readiness may ask. */
export interface Scene {
  api: Api;
  discovery: Discovery;
  /** The object as the API server answered when it was created or changed; for a read, as it is. */
  outputs: KubeObject;
  /** What it was before it was changed; undefined for a new one. */
  before: KubeObject | undefined;
  /** A read looks once and waits for nothing to settle. */
  reading: boolean;
  /** Says what is being waited for. */
  say: (severity: Severity, message: string) => void;
}

/** What a look at an object tells. */
export interface Verdict {
  ready: boolean;
  /** It will never be ready: no use to wait. */
  fatal?: boolean;
  /** Whether it is enough where the time is over. */
  enough?: boolean;
  /** What stands in the way; only asked for when the waiting ends in vain. */
  errors?: () => Promise<string[]> | string[];
}

/** How readiness of one kind is told. */
export interface Readiness {
  /**
   * @param object as it is now; undefined is never given.
   */
  check(object: KubeObject, scene: Scene): Promise<Verdict> | Verdict;
  /** Whether a refresh looks at readiness too. */
  onRead: boolean;
  /** Whether the verdict depends on other objects, so that it is asked for again while the object rests. */
  polled?: boolean;
  /** Milliseconds that the official plugin waits, whatever the resource's own time-out says. */
  timeout?: number;
}

export const READY: Verdict = { ready: true };
export const WAITING: Verdict = { ready: false };

/** The condition of a type in an object's status. */
export function condition(object: KubeObject, type: string): KubeObject | undefined {
  const conditions = list(object, "status", "conditions") as KubeObject[];
  return conditions.find((item) => item.type === type);
}

export function isTrue(object: KubeObject, type: string): boolean {
  return text(condition(object, type), "status") === "True";
}

/** Whether one object is an owner of another. */
export function owns(owner: KubeObject | undefined, object: KubeObject): boolean {
  const uid = text(owner, "metadata", "uid");
  return (
    uid !== "" &&
    list(object, "metadata", "ownerReferences").some((reference) => text(reference, "uid") === uid)
  );
}

/** `namespace/name`, or the name alone in the namespace default: as messages name an object. */
export function title(object: KubeObject): string {
  const space = text(object, "metadata", "namespace");
  const own = text(object, "metadata", "name");
  return space === "" || space === "default" ? own : `${space}/${own}`;
}
