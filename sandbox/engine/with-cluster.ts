import { basename, join } from "node:path";
import { findEnded } from "../control-plane/index.ts";
import { findPrograms, PROGRAMS, programsFolder } from "../programs/index.ts";
import { failures } from "../programs/wait.ts";
import { stopDaemons } from "../support/daemon.ts";
import { UserError } from "../support/user-error.ts";
import { engineFolder, type Sandbox } from "./sandbox.ts";

/** How often we look whether the cluster is still there, in milliseconds. */
const STEP = 500;

/**
 * Runs what needs a sandbox's cluster. Where a program of the cluster ends meanwhile, the engine is ended too:
 * it would wait ten minutes for an answer that cannot come.
 *
 * @throws UserError that names the program; else what `work` throws.
 */
export async function withCluster<T>(sandbox: Sandbox, work: () => Promise<T>): Promise<T> {
  let ended: string | undefined;
  const look = async () => {
    if (ended !== undefined) return;
    ended = await findEndedLog(sandbox);
    if (ended !== undefined) await stopDaemons(engineFolder(sandbox.folder));
  };
  const timer = setInterval(() => {
    // Not to know is no fault: the next look may tell.
    look().catch(() => undefined);
  }, STEP);
  try {
    return await work();
  } catch (error) {
    await look();
    if (ended === undefined) throw await withFailures(sandbox, error);
    throw new UserError(
      `${basename(ended, ".log")} of the sandbox ended while the stack was being deployed; its log is ${ended}. ` +
        "Nothing is lost: npm start starts it again and goes on from there.",
    );
  } finally {
    clearInterval(timer);
  }
}

/** The error, and what has failed of the sandbox's programs: the stack may only have waited for those. */
async function withFailures({ folder, programs }: Sandbox, error: unknown): Promise<unknown> {
  if (!(error instanceof UserError) || !programs) return error;
  const failed = (await failures(folder)).filter((sentence) => !error.message.includes(sentence));
  return failed.length === 0 ? error : new UserError([error.message, ...failed].join("\n"));
}

/** The log of a program of the sandbox that should run and does not. */
async function findEndedLog({ folder, programs }: Sandbox): Promise<string | undefined> {
  const controlPlane = join(folder, "control-plane");
  const ended = await findEnded(controlPlane);
  if (ended !== undefined) return join(controlPlane, `${ended}.log`);
  const daemon = programs && (await findPrograms(folder)) === undefined;
  return daemon ? join(programsFolder(folder), `${PROGRAMS}.log`) : undefined;
}
