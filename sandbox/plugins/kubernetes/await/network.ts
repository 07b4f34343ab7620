import type { Value } from "../../../../provider/protocol/values.ts";
import { field, list, text, type KubeObject } from "../object.ts";
import { sibling, siblings } from "./pods.ts";
import { READY, type Readiness, type Scene } from "./readiness.ts";

/**
 * How long a Service's endpoints have to rest before they count. The official plugin gives them ten seconds,
 * for controllers that are far away; here they stand on the same machine.
 */
const SETTLE = 250;
/** How long an Ingress waits for the endpoints of its backends before it does without. */
const SETTLE_INGRESS = 10_000;

const seen = new WeakMap<Scene, { version: string; since: number }>();

/** Whether a version has been the same for some time, within one wait. */
function settled(scene: Scene, version: string, time: number): boolean {
  const last = seen.get(scene);
  if (last?.version !== version) seen.set(scene, { version, since: Date.now() });
  return scene.reading || (last?.version === version && Date.now() - last.since >= time);
}

function hasAddress(object: KubeObject): boolean {
  return list(object, "status", "loadBalancer", "ingress").length > 0;
}

export const service: Readiness = {
  onRead: true,
  polled: true,
  check: async (object, scene) => {
    const type = text(object, "spec", "type") || "ClusterIP";
    const assigned = type !== "LoadBalancer" || hasAddress(object);
    const headless = text(object, "spec", "clusterIP") === "None";
    const selector = field(object, "spec", "selector");
    if (type === "ExternalName" || headless || selector === undefined) {
      return { ready: assigned, errors: () => (assigned ? [] : [NO_ADDRESS]) };
    }
    const endpoints = await sibling(scene, "Endpoints", text(object, "metadata", "name"));
    const subsets = list(endpoints, "subsets");
    const pending = subsets.some((subset) => list(subset, "notReadyAddresses").length > 0);
    const targeted = subsets.some((subset) => list(subset, "addresses").length > 0);
    const version = text(endpoints, "metadata", "resourceVersion");
    const resting = endpoints !== undefined && settled(scene, version, SETTLE);
    if (assigned && (resting || scene.reading) && !pending) return READY;
    if (resting && targeted) scene.say("info", "[2/3] Attempting to allocate IP address to Service");
    else scene.say("info", "[1/3] Finding Pods to direct traffic to");
    return {
      ready: false,
      enough: assigned && !pending,
      errors: () => [...(targeted ? [] : [NO_PODS]), ...(assigned ? [] : [NO_ADDRESS])],
    };
  },
};

const NO_PODS =
  "Service does not target any Pods. Selected Pods may not be ready, or " +
  "field '.spec.selector' may not match labels on any Pods";
const NO_ADDRESS = "Service was not allocated an IP address; does your cloud provider support this?";

export const ingress: Readiness = {
  onRead: true,
  polled: true,
  check: async (object, scene) => {
    const missing = await missingBackends(object, scene);
    const found = missing.length === 0 || settled(scene, missing.join(), SETTLE_INGRESS);
    const assigned = hasAddress(object);
    if (found)
      for (const rule of missing) scene.say("warning", `No matching service found for ingress rule: ${rule}`);
    if (assigned && found) return READY;
    scene.say(
      "info",
      found
        ? "[2/3] Waiting for update of .status.loadBalancer with hostname/IP"
        : "[1/3] Finding a matching service for each Ingress path",
    );
    return {
      ready: false,
      errors: () => [
        ...(found ? [] : ["Ingress has at least one rule with an unavailable target endpoint."]),
        ...(assigned
          ? []
          : [
              "Ingress .status.loadBalancer field was not updated with a hostname/IP address. " +
                "\n    for more information about this error, see https://pulumi.io/xdv72s",
            ]),
      ],
    };
  },
};

/** The rules whose Service has no endpoints object, as messages show them. */
async function missingBackends(object: KubeObject, scene: Scene): Promise<string[]> {
  const backends = list(object, "spec", "rules").flatMap((rule) =>
    list(rule, "http", "paths").map((path) => ({
      rule,
      path,
      name: text(path, "backend", "service", "name"),
    })),
  );
  if (backends.every(({ name }) => name === "")) return [];
  const names = (items: Value[]): string[] => items.map((item) => text(item, "metadata", "name"));
  const known = new Set([
    ...names(await siblings(scene, "", "Endpoints")),
    ...names(
      (await siblings(scene, "", "Service")).filter((item) => text(item, "spec", "type") === "ExternalName"),
    ),
  ]);
  return backends
    .filter(({ name }) => name !== "" && !known.has(name))
    .map(({ rule, path, name }) => {
      const where = text(rule, "host") + text(path, "path");
      return `${where === "" ? '"" (default path)' : `"${where}"`} -> "${name}"`;
    });
}
