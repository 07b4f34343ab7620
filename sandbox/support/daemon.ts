import { spawn } from "node:child_process";
import { open, mkdir, readdir, readFile, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { hasCode, readIfThere, writeFileAtomically } from "./files.ts";
import { UserError } from "./user-error.ts";

/** How long a process may take to end by itself after SIGTERM, in milliseconds. */
const PATIENCE = 5_000;
/** How often we look whether something has changed, in milliseconds. */
const STEP = 20;
/** How much of a log is shown when a daemon ends too early, in characters. */
const LOG_TAIL = 1_500;

/**
 * Names of the environment variables by which a daemon is known again: its folder and its name. A process id
 * alone may belong to something else by now, and a command line that mentions the folder may be somebody's
 * `tail -f`; the environment that a process was started with can be read in /proc and is inherited by its children.
 */
export const MARK = { folder: "ATTIC_STACK_DAEMON_FOLDER", name: "ATTIC_STACK_DAEMON_NAME" };

/** A process that goes on when the one that started it has ended. */
export interface DaemonSpec {
  /** Folder of all daemons that belong together; holds `NAME.pid` and `NAME.log`. Absolute. */
  folder: string;
  /** Unique in the folder. */
  name: string;
  command: string;
  args: readonly string[];
  /** Added to what little of this process' environment a daemon gets (PATH, HOME, language, time zone). */
  env?: Readonly<Record<string, string>>;
  /** Working folder; `folder` unless told. */
  cwd?: string;
}

export interface Daemon {
  name: string;
  pid: number;
  log: string;
  /** True where it ran already, with the same command and arguments. */
  reused: boolean;
}

/**
 * Starts a daemon, or finds it running. One that runs with another command or other arguments is stopped
 * first. Call it under a lock: two callers at once might start it twice.
 *
 * @throws Error where the command cannot be run at all.
 */
export async function startDaemon(spec: DaemonSpec): Promise<Daemon> {
  const log = join(spec.folder, `${spec.name}.log`);
  const running = await findDaemon(spec.folder, spec.name);
  if (running !== undefined) {
    const wanted = [spec.command, ...spec.args].join("\0");
    if ((await commandLine(running)) === wanted) return { name: spec.name, pid: running, log, reused: true };
    await stopDaemons(spec.folder, [spec.name]);
  }
  await mkdir(spec.folder, { recursive: true });
  await rename(log, `${log}.old`).catch((error: unknown) => {
    if (!hasCode(error, "ENOENT")) throw error;
  });
  const output = await open(log, "a", 0o600);
  try {
    const child = spawn(spec.command, spec.args, {
      cwd: spec.cwd ?? spec.folder,
      detached: true,
      stdio: ["ignore", output.fd, output.fd],
      env: { ...plainEnvironment(), ...spec.env, [MARK.folder]: spec.folder, [MARK.name]: spec.name },
    });
    await new Promise<void>((resolve, reject) => {
      child.once("spawn", resolve).once("error", reject);
    });
    child.unref();
    const pid = child.pid;
    if (pid === undefined) throw new Error(`${spec.command} has no process id`);
    await writeFileAtomically(join(spec.folder, `${spec.name}.pid`), `${pid}\n`, 0o644);
    return { name: spec.name, pid, log, reused: false };
  } finally {
    await output.close();
  }
}

/**
 * Waits until `check` gives something other than undefined, and returns that.
 *
 * @param daemons all that must run for that; the first is the one that is waited for.
 * @param check asked again and again; what it throws counts as "not yet".
 * @param timeout in milliseconds.
 * @throws DaemonError where one of them ends before that, or it takes too long.
 */
export async function untilReady<T>(
  daemons: readonly [Daemon, ...Daemon[]],
  check: () => Promise<T | undefined>,
  timeout: number,
): Promise<T> {
  const deadline = performance.now() + timeout;
  for (;;) {
    const result = await check().catch(() => undefined);
    if (result !== undefined) return result;
    for (const daemon of daemons) {
      if (!(await isAlive(daemon.pid))) throw await daemonError(daemon, "ended before it was ready");
    }
    if (performance.now() > deadline) {
      throw await daemonError(daemons[0], `was not ready within ${timeout / 1000} s`);
    }
    await sleep(STEP);
  }
}

async function daemonError({ name, log }: Daemon, what: string): Promise<DaemonError> {
  const tail = ((await readIfThere(log)) ?? "").trimEnd().slice(-LOG_TAIL);
  return new DaemonError(`${name} ${what}. Its log, ${log}, ends with:\n${tail}`);
}

/** A daemon that did not become ready; the message holds the end of its log. */
export class DaemonError extends UserError {}

/** The process id of a daemon that runs, or undefined. Finds one whose pid file was never written, too. */
export async function findDaemon(folder: string, name: string): Promise<number | undefined> {
  const noted = Number(await readIfThere(join(folder, `${name}.pid`)));
  if (noted > 0 && (await markOf(noted, folder)) === name) return noted;
  const all = await findProcesses(folder);
  // The oldest is the daemon itself; the others are children of it.
  return all.filter((process) => process.name === name).map(({ pid }) => pid)[0];
}

/**
 * Ends all daemons of a folder, or those named, and every process that they started: SIGTERM, then SIGKILL.
 *
 * @returns how many processes there were.
 */
export async function stopDaemons(folder: string, names?: readonly string[]): Promise<number> {
  const chosen = async () =>
    (await findProcesses(folder)).filter(({ name }) => names === undefined || names.includes(name));
  const found = await chosen();
  for (const { pid } of found) signal(pid, "SIGTERM");
  const deadline = performance.now() + PATIENCE;
  let left = found;
  while (left.length > 0) {
    if (performance.now() > deadline) for (const { pid } of left) signal(pid, "SIGKILL");
    await sleep(STEP);
    left = await living(left);
    // What a process started while it was being stopped is found by its mark.
    if (left.length === 0) left = await chosen();
  }
  const stopped = new Set(found.map(({ name }) => name));
  for (const name of names ?? stopped) await rm(join(folder, `${name}.pid`), { force: true });
  return found.length;
}

interface Marked {
  pid: number;
  name: string;
}

/** All processes that were started as daemons of this folder, and their children; the oldest first. */
export async function findProcesses(folder: string): Promise<Marked[]> {
  const pids = (await readdir("/proc")).map(Number).filter((pid) => pid > 0 && pid !== process.pid);
  const marked = await Promise.all(
    pids.map(async (pid) => {
      const name = await markOf(pid, folder);
      return name === undefined ? [] : [{ pid, name, started: await startTime(pid) }];
    }),
  );
  return marked.flat().sort((a, b) => a.started - b.started || a.pid - b.pid);
}

async function living(processes: Marked[]): Promise<Marked[]> {
  const alive = await Promise.all(processes.map(({ pid }) => isAlive(pid)));
  return processes.filter((_, index) => alive[index]);
}

async function markOf(pid: number, folder: string): Promise<string | undefined> {
  const environment = await procFile(pid, "environ");
  if (!environment?.includes(`${MARK.folder}=${folder}\0`)) return undefined;
  const entry = environment.split("\0").find((line) => line.startsWith(`${MARK.name}=`));
  return entry?.slice(MARK.name.length + 1);
}

async function commandLine(pid: number): Promise<string | undefined> {
  return (await procFile(pid, "cmdline"))?.replace(/\0$/u, "");
}

/** Clock ticks after boot at which the process was started: field 22 of /proc/PID/stat, see proc(5). */
async function startTime(pid: number): Promise<number> {
  const stat = await procFile(pid, "stat");
  return Number(stat?.slice(stat.lastIndexOf(")") + 2).split(" ")[19] ?? 0);
}

/** A file of /proc, or undefined where the process is gone or belongs to another user. */
async function procFile(pid: number, name: string): Promise<string | undefined> {
  try {
    return await readFile(`/proc/${pid}/${name}`, "utf8");
  } catch {
    return undefined;
  }
}

/** Whether the process is there, and more than a zombie that only waits for its parent to look. */
async function isAlive(pid: number): Promise<boolean> {
  const stat = await procFile(pid, "stat");
  return stat !== undefined && !/\) [ZX] /u.test(stat);
}

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch (error) {
    if (!hasCode(error, "ESRCH")) throw error;
  }
}

/** A daemon does not inherit what a shell happens to hold: credentials, proxies, or marks of another daemon. */
function plainEnvironment(): Record<string, string> {
  const names = ["PATH", "HOME", "USER", "LANG", "LC_ALL", "TZ", "TMPDIR"];
  return Object.fromEntries(
    names.flatMap((name) => {
      const value = process.env[name];
      return value === undefined ? [] : [[name, value]];
    }),
  );
}
