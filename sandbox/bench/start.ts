import { spawn } from "node:child_process";
import { cp, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { ROOT } from "../paths.ts";

/** Seconds of a first `npm start` in a new sandbox, with every program and package there. */
export async function cachedStart(): Promise<number> {
  return await inScratch(
    async (scratch) => await timedStart(ROOT, { ATTIC_STACK_SANDBOX: join(scratch, "sandbox") }),
  );
}

/**
 * Seconds of the first `npm start` of a copy of the project without its packages, and with every cache empty:
 * the project's own, npm's, and Go's for modules and builds.
 */
export async function coldStart(): Promise<number> {
  return await inScratch(async (scratch) => {
    const copy = join(scratch, "project");
    const left = new Set(["node_modules", ".sandbox", ".git"]);
    await cp(ROOT, copy, { recursive: true, filter: (source) => !left.has(basename(source)) });
    return await timedStart(copy, {
      XDG_CACHE_HOME: join(scratch, "cache"),
      npm_config_cache: join(scratch, "npm"),
      GOCACHE: join(scratch, "go-build"),
      GOMODCACHE: join(scratch, "go-mod"),
      GOFLAGS: "-modcacherw",
    });
  });
}

async function timedStart(project: string, env: Readonly<Record<string, string>>): Promise<number> {
  const began = performance.now();
  await npm(project, "start", env);
  const seconds = (performance.now() - began) / 1000;
  await npm(project, "stop", env);
  return seconds;
}

async function npm(project: string, script: string, env: Readonly<Record<string, string>>): Promise<void> {
  const child = spawn("npm", ["run", "--silent", script], {
    cwd: project,
    env: { ...process.env, ...env },
    stdio: ["ignore", "ignore", "inherit"],
  });
  const code = await new Promise((resolve, reject) => child.on("exit", resolve).on("error", reject));
  if (code !== 0) throw new Error(`npm ${script} ended with ${String(code)}`);
}

async function inScratch(work: (folder: string) => Promise<number>): Promise<number> {
  const folder = await mkdtemp(join(tmpdir(), "attic-stack-bench-"));
  try {
    return await work(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
