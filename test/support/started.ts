import { mkdtemp, realpath, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Result, sandboxCommand } from "./command.ts";
import { noNetwork } from "./no-network.ts";
import { type Process, processesOf } from "./processes.ts";

/** What came of the commands that a person would give, one after the other. */
export interface Started {
  /** Folder of the sandboxes. */
  folder: string;
  /** Two `npm start` at once, the first ones, on a machine without any network. */
  together: readonly Result[];
  /** `npm stop`. */
  stopped: Result;
  left: readonly Process[];
  /** `npm start` once more. The sandbox is then left running. */
  again: Result;
}

let result: Promise<Started> | undefined;

/** Runs the commands once for all the tests that look at what came of them. */
export async function started(): Promise<Started> {
  result ??= start();
  return await result;
}

async function start(): Promise<Started> {
  const folder = await temporaryFolder();
  const nowhere = await noNetwork();
  const one = () => sandboxCommand(folder, ["start"], nowhere).result;
  const together = await Promise.all([one(), one()]);
  nowhere.close();
  const stopped = await sandboxCommand(folder, ["stop"]).result;
  const left = processesOf(folder);
  const again = await sandboxCommand(folder, ["start"]).result;
  return { folder, together, stopped, left, again };
}

const folders: string[] = [];

/** An empty folder for sandboxes. When all tests have run they are stopped, and it is removed. */
export async function temporaryFolder(): Promise<string> {
  const folder = await realpath(await mkdtemp(join(tmpdir(), "attic-stack-start-")));
  folders.push(folder);
  return folder;
}

after(async function () {
  this.timeout(120_000);
  for (const folder of folders) {
    await sandboxCommand(folder, ["stop"]).result;
    await rm(folder, { recursive: true, force: true });
  }
});
