import { createHash } from "node:crypto";
import { constants } from "node:fs";
import { access, mkdir, readdir, readFile, realpath, stat } from "node:fs/promises";
import { join, resolve } from "node:path";
import { type Daemon, findDaemon, findProcesses, startDaemon, stopDaemons } from "../support/daemon.ts";
import { withLock } from "../support/lock.ts";
import { UserError } from "../support/user-error.ts";

/** The daemon's name, by which its process and its log are found. */
export const PROGRAMS = "programs";

/** The folder of the daemon that makes a sandbox's pods answer: logs, mounted files, and what it tells. */
export function programsFolder(sandbox: string): string {
  return join(sandbox, "programs");
}

/** The process id of a sandbox's daemon, where it runs. @param sandbox its folder. */
export async function findPrograms(sandbox: string): Promise<number | undefined> {
  return await findDaemon(programsFolder(await realpath(sandbox)), PROGRAMS);
}

/**
 * The real server of Attic that `ATTICD` names; undefined where the stand-in is to run.
 *
 * @throws UserError where it is not there or cannot be run.
 */
export async function realAtticd(): Promise<string | undefined> {
  const { ATTICD: given = "" } = process.env;
  if (given === "") return undefined;
  const path = resolve(given);
  const what = await stat(path).then(
    (found) => (found.isFile() ? undefined : "that is no file"),
    () => "there is no such file",
  );
  const refused =
    what ??
    (await access(path, constants.X_OK).then(
      () => undefined,
      () => "that cannot be run",
    ));
  if (refused === undefined) return path;
  throw new UserError(
    `ATTICD is ${given}, and ${refused}. Set it to the path of an atticd, or to nothing for the stand-in.`,
  );
}

/**
 * Starts the daemon that runs what a sandbox's pods are, or finds it running. It goes on when this process ends.
 *
 * @param sandbox the folder of the sandbox, whose cluster runs.
 */
export async function startPrograms(sandbox: string, versitygw: string): Promise<Daemon> {
  const atticd = await realAtticd();
  const place = await realpath(sandbox);
  const folder = programsFolder(place);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const options = ["--versitygw", versitygw, ...(atticd === undefined ? [] : ["--atticd", atticd])];
  return await withLock(
    `${folder} daemon`,
    () => undefined,
    async () =>
      await startDaemon({
        folder,
        name: PROGRAMS,
        command: process.execPath,
        // With other sources it is another daemon.
        args: [join(import.meta.dirname, "main.ts"), place, ...options, "--sources", await sourcesHash()],
      }),
  );
}

/** Ends the daemon and all that it runs. @returns how many processes there were. */
export async function stopPrograms(sandbox: string): Promise<number> {
  const place = await realpath(sandbox).catch(() => sandbox);
  const folder = programsFolder(place);
  return await withLock(
    `${folder} daemon`,
    () => undefined,
    async () => {
      const running = (await findProcesses(folder)).length;
      // The daemon ends what it runs in its own way; what is left then nobody looks after.
      await stopDaemons(folder, [PROGRAMS]);
      await stopDaemons(folder);
      return running;
    },
  );
}

async function sourcesHash(): Promise<string> {
  const hash = createHash("sha256");
  for (const folder of [import.meta.dirname, join(import.meta.dirname, "../attic")]) {
    const files = await readdir(folder, { recursive: true }).catch(() => [] as string[]);
    for (const file of files.filter((name) => name.endsWith(".ts")).sort())
      hash.update(file).update(await readFile(join(folder, file)));
  }
  return hash.digest("hex").slice(0, 12);
}
