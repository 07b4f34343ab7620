import { cpus, totalmem } from "node:os";
import { parseArgs } from "node:util";
import type { Measured } from "../bench/measure.ts";
import { measures } from "../bench/measures.ts";
import { closeSandbox } from "../engine/sandbox.ts";
import { stackFolder } from "../paths.ts";
import { table } from "../table.ts";
import type { Progress } from "../support/progress.ts";
import { UserError } from "../support/user-error.ts";

/** `npm run bench [-- --json] [--only NAME]`: measures, prints a table, and fails where a limit is passed. */
export async function bench(args: readonly string[], progress: Progress): Promise<void> {
  const closing: (() => Promise<void>)[] = [];
  const all = measures(progress, closing);
  const names = all.map(({ name }) => name);
  const { json, only } = options(args, names);
  const chosen = all.filter(({ name, onRequest }) => (only === undefined ? !onRequest : name === only));

  const rows: Measured[] = [];
  try {
    for (const { name, unit, limit, run } of chosen) {
      const value = await progress.task(`bench ${name}`, run);
      rows.push({ name, value: Number(value.toPrecision(4)), unit, limit, ok: value <= limit });
    }
  } finally {
    for (const close of closing) await close();
    await closeSandbox(stackFolder("bench"));
  }
  if (json) console.log(JSON.stringify(rows, null, 2));
  else
    console.log(
      tableOf(
        rows,
        chosen,
        all.filter(({ name }) => !chosen.some((other) => other.name === name)).map(({ name }) => name),
      ),
    );
  process.exitCode = rows.every(({ ok }) => ok) ? 0 : 1;
}

function options(
  args: readonly string[],
  names: readonly string[],
): { json: boolean; only: string | undefined } {
  try {
    const { values } = parseArgs({
      args: [...args],
      options: { json: { type: "boolean" }, only: { type: "string" } },
    });
    if (values.only !== undefined && !names.includes(values.only))
      throw new Error(`there is no ${values.only}`);
    return { json: values.json ?? false, only: values.only };
  } catch (error) {
    const reason = error instanceof Error ? error.message : "";
    throw new UserError(
      `${reason}\nUse: npm run bench [-- [--json] [--only NAME]], NAME one of ${names.join(", ")}.`,
    );
  }
}

function tableOf(
  rows: readonly Measured[],
  chosen: readonly { about: string }[],
  left: readonly string[],
): string {
  const machine = `${cpus().length} cores of ${cpus()[0]?.model ?? "?"}, ${Math.round(totalmem() / 2 ** 30)} GB, Node ${process.versions.node}`;
  return [
    "",
    machine,
    "",
    ...table(
      ["Name", "Value", "Limit", "", "What"],
      rows.map(({ name, value, unit, limit, ok }, index) => [
        name,
        `${value} ${unit}`,
        `${limit} ${unit}`,
        ok ? "ok" : "TOO MUCH",
        chosen[index]?.about ?? "",
      ]),
    ),
    ...(left.length > 0 ? ["", `Not run: ${left.join(", ")} (--only NAME)`] : []),
  ].join("\n");
}
