import type { Stack } from "@pulumi/pulumi/automation/index.js";
import { existsSync } from "node:fs";
import { delimiter, join } from "node:path";
import type pulumi from "@pulumi/pulumi";
import type { StackOutputs } from "../components/outputs.ts";
import type { Updated } from "./engine/update.ts";

export interface ReportArgs {
  stack: Stack;
  updated: Updated;
  addresses: Readonly<{ kubernetes: string; attic: string; s3?: string; postgres?: string }>;
  seconds: number;
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
  const { stack, updated, addresses, seconds, folder } = args;
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
        ["Object store", addresses.s3 ?? "-"],
        ["PostgreSQL", addresses.postgres ?? "-"],
      ],
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
        if (child.parent !== urn || !child.custom) continue;
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

/** Columns that a table may take where nobody says: a log, or a terminal that does not tell. */
const WIDTH = 110;

/** Lines with their columns one below another; a list in the last column is broken to fit the terminal. */
export function table(
  head: readonly string[],
  rows: readonly (readonly string[])[],
  width = process.stdout.isTTY ? process.stdout.columns : WIDTH,
): string[] {
  const last = head.length - 1;
  const widths = head.map((cell, column) =>
    Math.max(cell.length, ...rows.map((row) => (row[column] ?? "").length)),
  );
  const before = widths.slice(0, last).reduce((sum, column) => sum + column + 2, 0);
  const broken = rows.flatMap((row) => {
    const [first = "", ...more] = brokenList(row[last] ?? "", width - before);
    return [
      [...row.slice(0, last), first],
      ...more.map((part) => [...head.slice(0, last).map(() => ""), part]),
    ];
  });
  widths[last] = Math.max(head[last]?.length ?? 0, ...broken.map((row) => (row[last] ?? "").length));
  const line = (row: readonly string[]) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join("  ")
      .trimEnd();
  return [line(head), line(widths.map((column) => "─".repeat(column))), ...broken.map(line)];
}

/** A list of words with commas in lines of at most `width`; a word that is longer stands alone. */
function brokenList(text: string, width: number): string[] {
  const lines: string[] = [];
  for (const word of text.split(/(?<=, )/)) {
    const line = lines.at(-1);
    if (line !== undefined && (line + word).trimEnd().length <= width) lines[lines.length - 1] = line + word;
    else lines.push(word);
  }
  return lines.map((line) => line.trimEnd());
}

/** Whether the person could run kubectl: the sandbox does without it, and brings none. */
function hasKubectl(): boolean {
  return (process.env.PATH ?? "").split(delimiter).some((place) => existsSync(join(place, "kubectl")));
}
