import type { Changes } from "./changes.ts";
import type { Cluster } from "./cluster.ts";
import type { Forwards } from "./forwards.ts";
import type { Fronts } from "./fronts.ts";
import type { Outside } from "./outside.ts";
import type { Played } from "./played.ts";
import type { Ports } from "./ports.ts";
import type { Tools } from "./program.ts";
import type { RunAs } from "./user.ts";

/** What the daemon's parts share. */
export interface World {
  /** The folder of the stack's sandbox, absolute. */
  readonly sandbox: string;
  /** The daemon's own folder in it. */
  readonly folder: string;
  readonly tools: Tools;
  /** Told whenever something is other than it was. */
  readonly changes: Changes;
  readonly cluster: Cluster;
  readonly ports: Ports;
  readonly forwards: Forwards;
  readonly fronts: Fronts;
  readonly outside: Outside;
  /** The containers that are played. */
  played(): readonly Played[];
  /** How a program runs that refuses root. @param folder where the folder for its files is, besides volumes. */
  runAs(program: string, folder: string): Promise<RunAs>;
  /** Writes into the daemon's log. */
  say(name: string, text: string): void;
}

/** Where a sandbox keeps what is in volumes: a folder for each claim, by its uid. */
export function volumesFolder(sandbox: string): string {
  return `${sandbox}/volumes`;
}
