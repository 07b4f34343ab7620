import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Api } from "../control-plane/api.ts";
import { findDaemon } from "../support/daemon.ts";
import type { Progress, Say } from "../support/progress.ts";
import { UserError } from "../support/user-error.ts";
import { connect } from "./cluster.ts";
import { PROGRAMS, programsFolder } from "./index.ts";
import { kindOf } from "./kinds/index.ts";
import { isOfJob, isPlaced, podName, type Pod } from "./objects.ts";
import { type ProgramStatus, readStatus, type Status } from "./status.ts";

/** How often we look, and how long something may take to answer, in milliseconds. */
const STEP = 100;
const PATIENCE = 90_000;
/** What has failed that often in a row is not going to answer. */
const FAILURES = 4;

/**
 * Waits until everything in a sandbox's cluster that the sandbox plays answers, and every job has run to its end.
 *
 * @returns by "host:port" as the stack has it, the "host:port" of this machine.
 * @throws UserError that names what does not answer, why, and its log.
 */
export async function untilAnswers(
  sandbox: { folder: string; controlPlane: { kubeconfig: string } },
  progress: Progress,
): Promise<Status["addresses"]> {
  const api = await connect(sandbox.controlPlane.kubeconfig);
  try {
    return await progress.task("Attic, PostgreSQL and the object store", (say) =>
      untilAllAnswer(programsFolder(sandbox.folder), api, say),
    );
  } finally {
    api.close();
  }
}

async function untilAllAnswer(folder: string, api: Api, say: Say): Promise<Status["addresses"]> {
  const deadline = performance.now() + PATIENCE;
  for (;;) {
    const daemon = await findDaemon(folder, PROGRAMS);
    if (daemon === undefined)
      throw new UserError(
        `The daemon that runs the sandbox's programs ended; its log is ${join(folder, `${PROGRAMS}.log`)}. npm start starts it again.`,
      );
    const status = await readStatus(folder);
    const expected = expectedOf(await pods(api));
    const open = openOf(expected, status?.pid === daemon ? status.programs : []);
    if (open.length === 0 && status) return status.addresses;
    const programs = status?.programs ?? [];
    // What has failed says more than what waits for it.
    const failed = programs.find(
      ({ name, uid, failures }) => failures >= FAILURES && (uid === "" || open.includes(name)),
    );
    if (failed) throw new UserError(describe(failed));
    const [first = ""] = open;
    const waits = programs.find(({ name }) => name === first);
    if (performance.now() > deadline)
      throw new UserError(
        waits ? describe(waits) : `${first} was not started; see ${join(folder, `${PROGRAMS}.log`)}.`,
      );
    say(`${first}${waits?.reason ? `: ${waits.reason}` : ""}`);
    await sleep(STEP);
  }
}

async function pods(api: Api): Promise<Pod[]> {
  return (JSON.parse(await api.call("GET", "/api/v1/pods")) as { items: Pod[] }).items;
}

/** The name and uid of every container that has to be ready. */
function expectedOf(all: readonly Pod[]): string[] {
  const running = all.filter((pod) => isPlaced(pod) && (isOfJob(pod) || pod.status?.phase !== "Succeeded"));
  return running.flatMap((pod) =>
    (pod.spec?.containers ?? [])
      .filter((container) => kindOf(container) !== undefined)
      .map(({ name }) => `${podName(pod)}/${name} ${pod.metadata?.uid ?? ""}`),
  );
}

/** Those of them that are not ready, by name; the ones that failed first. */
function openOf(expected: readonly string[], programs: Status["programs"]): string[] {
  const good = programs.filter(({ state }) => state === "ready" || state === "ended");
  const done = new Set(good.map(({ name, uid }) => `${name} ${uid}`));
  return expected.filter((each) => !done.has(each)).map((each) => each.split(" ")[0] ?? "");
}

/** What has failed of a sandbox's programs, as a sentence each. @param sandbox its folder. */
export async function failures(sandbox: string): Promise<string[]> {
  const { programs = [] } = (await readStatus(programsFolder(sandbox))) ?? {};
  return programs.filter(({ state }) => state === "failing").map(describe);
}

function describe({ name, state, reason, log }: ProgramStatus): string {
  const what = state === "starting" ? "it does not answer" : reason;
  return `${name} of the sandbox does not run: ${what}. Its log is ${log}`;
}
