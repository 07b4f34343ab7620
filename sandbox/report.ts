import type { Stack } from "@pulumi/pulumi/automation/index.js";
import { existsSync } from "node:fs";
import { delimiter, join } from "node:path";
import type pulumi from "@pulumi/pulumi";
import type { StackOutputs } from "../components/outputs.ts";
import type { Updated } from "./engine/update.ts";
import { table } from "./table.ts";
import type { Welcome } from "./welcome/index.ts";
import { cachesText } from "./welcome/report.ts";

export interface ReportArgs {
  stack: Stack;
  updated: Updated;
  addresses: Readonly<{ kubernetes: string; attic: string; edge?: string; s3?: string; postgres?: string }>;
  seconds: number;
  /** Caches from which something can be pulled. */
  caches: readonly Welcome[];
  /** The folder of the stack's sandbox, as a person would type it. */
  folder: string;
}

/** The value of an output. */
export type Plain<T> = T extends pulumi.Output<infer U> ? U : T;

interface Resource {
  urn: string;
  type: string;
  parent?: string;
  custom: boolean;
}

/** What a start made, as a text for a person. */
export async function report(args: ReportArgs): Promise<string> {
  const { stack, updated, addresses, seconds, caches, folder } = args;
  const state = (await stack.exportStack()) as { deployment: { resources: Resource[] } };
  const { resources } = state.deployment;
  const made = resources.filter(({ custom, type }) => custom && !type.startsWith("pulumi:"));
  const components = componentRows(resources);
  const outputs = await stack.outputs();
  const output = <K extends keyof StackOutputs>(name: K) => outputs[name]?.value as Plain<StackOutputs[K]>;

  return [
    "",
    `${stack.name}: ${changesText(updated)}; ${made.length} resources in ${components.length} components (${seconds.toFixed(1)} s)`,
    "",
    ...table(["Component", "Name", "Resources by kind"], components),
    "",
    ...updated.warnings.map((warning) => `Warning: ${warning}\n`),
    ...table(
      ["Address", "Where"],
      [
        ["Kubernetes API", addresses.kubernetes],
        ["Attic", addresses.attic],
        ...(addresses.edge === undefined ? [] : [["Edge", `${addresses.edge}/`]]),
        ["Object store", addresses.s3 ?? "-"],
        ["PostgreSQL", addresses.postgres ?? "-"],
      ],
    ),
    ...cachesText(
      caches,
      `${folder.startsWith("/") ? "" : "$PWD/"}${folder}/netrc`,
      output("caches").length - caches.length,
    ),
    "",
    "Next, with the engine and the cluster of this sandbox in your shell:",
    `  . ${folder}/env`,
    `  pulumi -C ${folder}/project preview --stack ${stack.name}`,
    `  pulumi -C ${folder}/project stack output --stack ${stack.name} --show-secrets`,
    ...(hasKubectl() ? [`  kubectl --namespace ${output("namespace")} get pods,networkpolicies`] : []),
    "",
    "npm stop ends the sandbox.",
  ].join("\n");
}

/** "nothing changed", or how many resources were worked on, by operation; a component counts as one. */
export function changesText({ changes }: Updated): string {
  const worked = Object.entries(changes).filter(
    ([operation]) => operation !== "same" && operation !== "read",
  );
  if (worked.length === 0) return "nothing changed";
  const words: Record<string, string> = {
    create: "created",
    update: "updated",
    replace: "replaced",
    delete: "deleted",
  };
  return worked.map(([operation, count]) => `${count} ${words[operation] ?? operation}`).join(", ");
}

/** A row for each component: its class, its name, and its own resources counted by kind. */
function componentRows(resources: readonly Resource[]): string[][] {
  const kindOf = (type: string) => type.split(":").at(-1) ?? type;
  return resources
    .filter(({ custom, type }) => !custom && type !== "pulumi:pulumi:Stack")
    .sort((a, b) => a.urn.localeCompare(b.urn))
    .map(({ urn, type }) => {
      const counts = new Map<string, number>();
      for (const child of resources) {
        if (child.parent !== urn || !child.custom || child.type.startsWith("pulumi:")) continue;
        const kind = kindOf(child.type);
        counts.set(kind, (counts.get(kind) ?? 0) + 1);
      }
      const kinds = [...counts].sort(([a], [b]) => a.localeCompare(b));
      return [
        kindOf(type),
        urn.split("::").at(-1) ?? "",
        kinds.map(([kind, count]) => (count === 1 ? kind : `${kind} ×${count}`)).join(", "),
      ];
    });
}

/** Whether the person could run kubectl: the sandbox does without it, and brings none. */
function hasKubectl(): boolean {
  return (process.env.PATH ?? "").split(delimiter).some((place) => existsSync(join(place, "kubectl")));
}
