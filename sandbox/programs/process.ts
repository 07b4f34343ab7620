import { type ChildProcess, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { chown, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { env as daemonEnvironment } from "node:process";
import { MARK } from "../support/daemon.ts";
import type { Program } from "./program.ts";
import { makeFolder, type RunAs } from "./user.ts";

/** How long a process may take to end when it is told to, in milliseconds. */
const GRACE = 4_000;

/** Writes what a program reads, and makes the folders that it writes into. */
export async function writeFiles({ files = {}, folders = [] }: Program, { owner }: RunAs): Promise<void> {
  for (const folder of folders) await makeFolder(folder, owner);
  for (const [path, content] of Object.entries(files)) {
    await makeFolder(dirname(path), owner);
    await writeFile(path, content, { mode: 0o600 });
    if (owner) await chown(path, owner.uid, owner.gid);
  }
}

/** Starts a process. It has the daemon's marks, by which a later start finds it if this daemon is killed. */
export function start(
  { command, args, env }: Pick<Program, "command" | "args" | "env">,
  { prefix, owner }: RunAs,
  { name, log, stdin }: { name: string; log: number; stdin: "pipe" | "ignore" },
): ChildProcess {
  const [first = "", ...rest] = [...prefix, command, ...args];
  const kept = ["PATH", "TZ", MARK.folder].flatMap((name) => {
    const value = daemonEnvironment[name];
    return value === undefined ? [] : [[name, value] as const];
  });
  return spawn(first, rest, {
    // Where it writes by a relative path, it must not be in the project.
    cwd: "/",
    stdio: [stdin, log, log],
    env: { ...env, ...Object.fromEntries(kept), [MARK.name]: name },
    ...owner,
  });
}

/** How a process ended: "code 1", "signal SIGKILL", or why it could not be started. */
export async function exit(child: ChildProcess): Promise<string> {
  return await new Promise((resolve) => {
    child
      .once("error", (error) => {
        resolve(`an error: ${error.message}`);
      })
      .once("exit", (code, signal) => {
        resolve(code === null ? `signal ${signal ?? ""}` : `code ${code}`);
      });
  });
}

/** Tells a process to end, and ends it where it does not in time. */
export async function terminate(
  child: ChildProcess,
  ended: Promise<string>,
  signal: NodeJS.Signals = "SIGTERM",
) {
  child.kill(signal);
  const timer = setTimeout(() => child.kill("SIGKILL"), GRACE);
  await ended;
  clearTimeout(timer);
}

/** The same for programs that are the same. */
export function digestOf({ command, args, env, files, port }: Program): string {
  return createHash("sha256")
    .update(JSON.stringify([command, args, env, files, port]))
    .digest("hex");
}
