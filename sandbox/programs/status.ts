import { join } from "node:path";
import { readIfThere, writeFileAtomically } from "../support/files.ts";
import type { ProgramKind } from "./program.ts";
import type { State } from "./running.ts";

/** What the daemon tells of one program. */
export interface ProgramStatus {
  /** "namespace/pod/container", or the name of what is outside of the cluster. */
  name: string;
  kind: ProgramKind;
  /** The uid of its pod; empty for what is outside. */
  uid: string;
  state: State;
  /** What it waits for, or why it failed. No secret is in it. */
  reason: string;
  /** How often in a row it has failed. */
  failures: number;
  log: string;
  /** The port of 127.0.0.1 that it listens on. */
  port: number | undefined;
}

/** What the daemon tells. */
export interface Status {
  /** Of the daemon, so that an old file is not taken for a new one's. */
  pid: number;
  programs: readonly ProgramStatus[];
  /** By "host:port" as the stack has it, the "host:port" of this machine. */
  addresses: Readonly<Record<string, string>>;
}

function file(folder: string): string {
  return join(folder, "status.json");
}

/** @param folder the daemon's. */
export async function writeStatus(folder: string, status: Status): Promise<void> {
  const text = `${JSON.stringify(status, undefined, 2)}\n`;
  if ((await readIfThere(file(folder))) !== text) await writeFileAtomically(file(folder), text);
}

export async function readStatus(folder: string): Promise<Status | undefined> {
  const text = await readIfThere(file(folder));
  return text === undefined ? undefined : (JSON.parse(text) as Status);
}
