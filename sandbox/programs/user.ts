import { execFile } from "node:child_process";
import { chmod, chown, mkdir, readFile, realpath, stat } from "node:fs/promises";
import { homedir } from "node:os";
import { dirname } from "node:path";
import { getuid } from "node:process";
import { promisify } from "node:util";
import { Fault } from "./objects.ts";

/** The number that nobody has on every Linux; a program may look for its name. */
const NOBODY = 65_534;

/** How a program is run that refuses to run as root. */
export interface RunAs {
  /** Whose its files have to be, and the user that it runs as; this process' own unless told. */
  owner?: { uid: number; gid: number };
  /** What its command line begins with. */
  prefix: readonly string[];
}

/**
 * How to run a program that refuses root: as it is, unless we are root; else as the user `nobody`, where that one can
 * reach the program and its files; else as root of the machine that has another number inside a user namespace.
 *
 * @param program path of the program.
 * @param folders on the way to its files that are the sandbox's own, the uppermost first: they are opened for passing
 *   through, not for reading.
 * @throws Fault that says what to do, where none of these goes.
 */
export async function withoutRoot(program: string, folders: readonly string[]): Promise<RunAs> {
  if (getuid?.() !== 0) return { prefix: [] };
  const nobody = await userNobody();
  for (const folder of folders) await mkdir(folder, { recursive: true, mode: 0o700 });
  const closed = await firstClosed([program, ...folders.slice(0, 1).map(dirname)]);
  if (nobody !== undefined && closed === undefined) {
    for (const folder of folders) await letPass(folder);
    if ((await firstClosed(folders)) === undefined) return { owner: nobody, prefix: [] };
  }
  const namespace = ["unshare", "--user", `--map-user=${NOBODY}`, `--map-group=${NOBODY}`];
  const [command = "", ...args] = namespace;
  const works = await promisify(execFile)(command, [...args, "true"]).then(
    () => true,
    () => false,
  );
  // Root of the machine is the only one whom such a namespace knows.
  if (works) return { owner: { uid: 0, gid: 0 }, prefix: namespace };
  throw new Fault(
    `PostgreSQL does not run as root, and the user nobody cannot get to ${closed ?? program}: ` +
      "run npm start as another user, or put the project where others can get to",
  );
}

/** Makes a folder, with those above it that are missing, which only their owner can enter. */
export async function makeFolder(path: string, owner: RunAs["owner"]): Promise<void> {
  const first = await mkdir(path, { recursive: true, mode: 0o700 });
  if (owner === undefined) return;
  await chown(path, owner.uid, owner.gid);
  for (let made = path; first !== undefined && made !== first;) {
    made = dirname(made);
    await chown(made, owner.uid, owner.gid);
  }
}

/** The user nobody, or undefined where there is none, as in a namespace that knows root alone. */
async function userNobody(): Promise<RunAs["owner"]> {
  const users = await readFile("/etc/passwd", "utf8").catch(() => "");
  const line = users.split("\n").find((each) => each.startsWith("nobody:"));
  const [, , uid, gid] = (line ?? "").split(":").map(Number);
  if (uid === undefined || gid === undefined) return undefined;
  return (await isKnown("uid", uid)) && (await isKnown("gid", gid)) ? { uid, gid } : undefined;
}

/** Whether a number stands for somebody in this user namespace; see user_namespaces(7). */
async function isKnown(kind: "uid" | "gid", id: number): Promise<boolean> {
  const map = await readFile(`/proc/self/${kind}_map`, "utf8").catch(() => "0 0 4294967295");
  const ranges = map
    .trim()
    .split("\n")
    .map((line) => line.trim().split(/\s+/).map(Number));
  return ranges.some(([first = 0, , count = 0]) => id >= first && id < first + count);
}

/** Lets others pass through a folder that is ours, on their way to what is theirs. They still cannot list it. */
async function letPass(folder: string): Promise<void> {
  const { mode, uid } = await stat(folder);
  if (uid === 0 && (mode & 0o001) === 0 && folder !== homedir()) await chmod(folder, (mode & 0o777) | 0o011);
}

/** The first folder on the way to one of the paths through which others cannot pass. */
async function firstClosed(paths: readonly string[]): Promise<string | undefined> {
  for (const path of paths) {
    let place = await realpath(path);
    const way = [place];
    while (dirname(place) !== place) way.unshift((place = dirname(place)));
    for (const step of way) if (((await stat(step)).mode & 0o001) === 0) return step;
  }
  return undefined;
}
