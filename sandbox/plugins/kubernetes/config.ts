import type { DiffRequest, DiffResult } from "../../../provider/protocol/provider.ts";
import { equal, revealAll, Unknown, type Properties, type Value } from "../../../provider/protocol/values.ts";
import { activeCluster, readKubeconfig, type Kubeconfig } from "./kubeconfig.ts";
import { text } from "./object.ts";

const CONNECTION = ["kubeconfig", "context", "cluster"];

/**
 * Whether changed settings of a provider lead to another cluster, so that everything in it has to be made
 * anew: where the active cluster of the kubeconfig differs, or `clusterIdentifier`, which overrules it.
 */
export function diffConfig({ olds, news }: DiffRequest): DiffResult {
  const before = revealAll(olds);
  const after = revealAll(news);
  const keys = [...new Set([...Object.keys(before), ...Object.keys(after)])];
  const diffs = keys.filter((key) => !equal(before[key], after[key]));
  const result = (replaces: string[]): DiffResult => ({
    changes: diffs.length > 0,
    diffs,
    replaces,
    deleteBeforeReplace: false,
  });
  if (diffs.length === 0) return result([]);
  const identified = before.clusterIdentifier !== undefined && after.clusterIdentifier !== undefined;
  if (identified && !diffs.includes("clusterIdentifier")) return result([]);
  const identity = identified ? ["clusterIdentifier"] : [];
  // What is not known yet may lead anywhere.
  const unknown = CONNECTION.find((key) => after[key] instanceof Unknown);
  if (unknown !== undefined) return result([...identity, unknown]);
  const old = clusterOf(before);
  const now = clusterOf(after);
  const moved = old !== undefined && now !== undefined && !equal(old, now);
  return result([...identity, ...(moved ? CONNECTION.filter((key) => diffs.includes(key)) : [])]);
}

function clusterOf(settings: Properties): Value | undefined {
  const { kubeconfig } = settings;
  let config: Kubeconfig;
  if (kubeconfig === undefined || kubeconfig === null || kubeconfig === "") return undefined;
  try {
    config = readKubeconfig(typeof kubeconfig === "string" ? kubeconfig : JSON.stringify(kubeconfig));
  } catch {
    return undefined;
  }
  const override = (key: string): string | undefined => text(settings, key) || undefined;
  return activeCluster(config, { context: override("context"), cluster: override("cluster") }) as
    Value | undefined;
}
