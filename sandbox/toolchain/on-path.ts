import { execFile } from "node:child_process";
import { constants } from "node:fs";
import { access } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import type { Package, ToolName } from "./catalog.ts";

/** How long a program may take to print its version, in milliseconds. */
const PATIENCE = 10_000;

/**
 * The programs of a package on PATH, or undefined unless all are there, report the same version, and that is
 * at least the package's minimum, of the same major version.
 */
export async function findOnPath(wanted: Package): Promise<Partial<Record<ToolName, string>> | undefined> {
  const found = await Promise.all(
    wanted.tools.map(async (tool) => {
      const path = await which(tool);
      return path === undefined ? undefined : { tool, path };
    }),
  );
  // Asking for versions costs a process each, so it is done only where no program is missing.
  const programs = found.filter((program) => program !== undefined);
  if (programs.length < wanted.tools.length) return undefined;
  const versions = await Promise.all(programs.map(({ path }) => versionOf(path, wanted.versionArguments)));
  const [version] = versions;
  if (version === undefined || versions.some((other) => other !== version)) return undefined;
  // Another major version may be another program altogether.
  if (!isAtLeast(version, wanted.minimum) || major(version) !== major(wanted.minimum)) return undefined;
  return Object.fromEntries(programs.map(({ tool, path }) => [tool, path]));
}

/** The first executable file of that name on PATH. */
export async function which(name: string): Promise<string | undefined> {
  for (const folder of (process.env.PATH ?? "").split(":")) {
    if (!folder.startsWith("/")) continue;
    const path = join(folder, name);
    try {
      await access(path, constants.X_OK);
      return path;
    } catch {
      // Not in this folder.
    }
  }
  return undefined;
}

async function versionOf(path: string, args: readonly string[]): Promise<string | undefined> {
  try {
    const env = { ...process.env, PULUMI_SKIP_UPDATE_CHECK: "true" };
    const { stdout } = await promisify(execFile)(path, args, { timeout: PATIENCE, env });
    return /\d+\.\d+\.\d+/u.exec(stdout)?.[0];
  } catch {
    return undefined;
  }
}

function major(version: string): string | undefined {
  return version.split(".")[0];
}

/** Whether `version` is `minimum` or later; both are three numbers. */
export function isAtLeast(version: string, minimum: string): boolean {
  const difference = version
    .split(".")
    .map((part, index) => Number(part) - Number(minimum.split(".")[index] ?? 0))
    .find((step) => step !== 0);
  return (difference ?? 0) >= 0;
}
