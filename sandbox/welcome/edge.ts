import { setTimeout as sleep } from "node:timers/promises";
import { edgeAddresses } from "../edge/index.ts";
import type { Sandbox } from "../engine/sandbox.ts";
import { untilAnswers } from "../programs/wait.ts";
import type { Progress } from "../support/progress.ts";
import { UserError } from "../support/user-error.ts";
import type { Welcome } from "./index.ts";
import { mirrorNow } from "./mirror-now.ts";

/** The Worker may have been asked for a path before it was there, and remembers that for so long, in milliseconds. */
const FORGETS = 15_000;
const STEP = 250;

/**
 * Has the mirror bring what waits in the caches to the edge, where that is not there yet, and waits until it can be read.
 *
 * @param edge as the stack's outputs have it.
 * @returns the edge's address on this machine, without a slash at its end.
 * @throws UserError where the mirror or the Worker does not bring it.
 */
export async function bringToEdge(
  sandbox: Sandbox,
  progress: Progress,
  { edge, namespace, caches, token }: BringArgs,
): Promise<string> {
  const host = new URL(edge.url).host;
  const { workers = [] } = (await edgeAddresses(sandbox.folder)) ?? {};
  const url = workers.find(({ hosts }) => hosts.includes(host))?.url;
  if (url === undefined) throw new UserError(`No Worker of the sandbox answers for ${host}.`);
  const waiting = caches.flatMap(({ name, path }) =>
    path === undefined ? [] : [`${url}/${name}/${path.split("/").at(-1)?.split("-")[0] ?? ""}.narinfo`],
  );
  const missing = async () => {
    const headers = { authorization: `Bearer ${token}` };
    const all = await Promise.all(waiting.map(async (each) => (await fetch(each, { headers })).ok));
    return waiting.find((_, index) => all[index] === false);
  };
  if ((await missing()) === undefined) return url;
  await mirrorNow(sandbox.controlPlane.kubeconfig, namespace);
  await untilAnswers(sandbox, progress);
  await progress.task("the edge", async () => {
    const deadline = performance.now() + FORGETS;
    for (let left = await missing(); left !== undefined; left = await missing()) {
      if (performance.now() > deadline)
        throw new UserError(
          `The mirror has run, and ${left} is not there; its log is below ${sandbox.folder}/programs/${namespace}.`,
        );
      await sleep(STEP);
    }
  });
  return url;
}

export interface BringArgs {
  edge: { url: string };
  namespace: string;
  /** What waits in the caches that the edge serves. */
  caches: readonly Welcome[];
  /** With which private caches can be pulled from. Secret. */
  token: string;
}
