import type { ResourceValidationPolicy, StackValidationPolicy } from "@pulumi/policy";
import { type Container, containersOf, type Workload, workloadKind } from "./workload.ts";

const DOCS = "docs/policy.md#one-garbage-collector";

/**
 * Two collectors at once delete what the other one is about to keep, and Attic takes no lock against it. A
 * server in the mode `monolithic`, which is also the mode of one that is told none, has a collector in it.
 *
 * What is wrong with one workload is refused before it is made. How many there are is known only when all have
 * been seen, which in an update without a preview is when they have been made.
 */
export const oneGarbageCollector: ResourceValidationPolicy & StackValidationPolicy = {
  name: "one-garbage-collector",
  description: "Attic's garbage collector runs once, and never twice at the same time.",
  enforcementLevel: "mandatory",
  validateResource: ({ type, props }, report) => {
    const kind = collectorKind(type, props);
    const fault = kind && faultOf(kind, props as Workload);
    if (fault !== undefined) report(`${fault} Run it as a StatefulSet with one replica. See ${DOCS}.`);
  },
  validateStack: ({ resources }, report) => {
    const collectors = resources.filter(({ type, props }) => collectorKind(type, props) !== undefined);
    const [first, second] = collectors;
    if (first && second) {
      report(
        `There are ${collectors.length} workloads with a garbage collector. Keep one, and run the others with --mode api-server. See ${DOCS}.`,
        second.urn,
      );
    }
  },
};

/** The kind of a workload that has a collector in it. */
function collectorKind(type: string, props: unknown): string | undefined {
  const kind = workloadKind(type);
  return kind !== undefined && containersOf(props as Workload).some(collects) ? kind : undefined;
}

function faultOf(kind: string, { spec }: Workload): string | undefined {
  if (kind === "DaemonSet") return "The garbage collector would run on every node.";
  if (kind === "Job")
    return (spec?.parallelism ?? 1) > 1
      ? "The garbage collector would run several times at once."
      : undefined;
  if (kind === "CronJob")
    return spec?.concurrencyPolicy === "Forbid"
      ? undefined
      : "A run of the garbage collector that takes long would meet the next one: set concurrencyPolicy to Forbid.";
  const replicas = spec?.replicas ?? 1;
  if (replicas > 1) return `The garbage collector would run ${replicas} times.`;
  if (kind === "Deployment" && spec?.strategy?.type !== "Recreate")
    return "While this Deployment is rolled, its old and its new garbage collector run at the same time.";
  return undefined;
}

function collects({ image = "", command = [], args = [] }: Container): boolean {
  const words = [...command, ...args];
  const isAttic =
    /(^|\/)attic(-server)?([:@]|$)/.test(image) || command.some((word) => /(^|\/)atticd$/.test(word));
  const mode = modeOf(words);
  if (mode?.startsWith("garbage-collector")) return true;
  return isAttic && (mode === undefined || mode === "monolithic");
}

/** `--mode X` or `--mode=X`, as atticd reads it. */
function modeOf(words: readonly string[]): string | undefined {
  const joined = words.find((word) => word.startsWith("--mode="));
  if (joined !== undefined) return joined.slice("--mode=".length);
  const at = words.indexOf("--mode");
  return at < 0 ? undefined : words[at + 1];
}
