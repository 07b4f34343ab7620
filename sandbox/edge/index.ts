import { createHash, randomBytes } from "node:crypto";
import { mkdir, readdir, readFile, realpath } from "node:fs/promises";
import { join } from "node:path";
import { Ports } from "../programs/ports.ts";
import {
  type Daemon,
  findDaemon,
  findProcesses,
  startDaemon,
  stopDaemons,
  untilReady,
} from "../support/daemon.ts";
import { readIfThere, writeFileAtomically } from "../support/files.ts";
import { withLock } from "../support/lock.ts";
import { EMPTY, isInUse, type State } from "./state.ts";

/** The daemon's name, by which its process and its log are found. */
export const EDGE = "edge";
/** How long it may take to start, in milliseconds: a busy machine needs some seconds for Node and workerd. */
const PATIENCE = 60_000;

/** The folder of the daemon that plays Cloudflare: what it remembers, its buckets, and its log. */
export function edgeFolder(sandbox: string): string {
  return join(sandbox, EDGE);
}

/** Where a sandbox's Cloudflare answers, once it was started: `edge.json` in the sandbox's folder. */
export interface EdgeAddresses {
  /** Of the REST API, up to its version: what CLOUDFLARE_BASE_URL is. */
  api: string;
  /** R2's S3 API. */
  s3: string;
  /** Every deployed Worker, and the hosts that lead to it by a custom domain or a route. */
  workers: { name: string; hosts: string[]; url: string }[];
}

/** What {@link EdgeAddresses} a sandbox has; undefined where nothing of Cloudflare was ever used. */
export async function edgeAddresses(sandbox: string): Promise<EdgeAddresses | undefined> {
  const text = await readIfThere(join(sandbox, "edge.json"));
  return text === undefined ? undefined : (JSON.parse(text) as EdgeAddresses);
}

/**
 * Makes ready for a stack that may use Cloudflare: an address and a token. The daemon is started here only where an
 * earlier stack left something that has to answer; else by the plugin, when it is first used. So a stack without an
 * edge pays nothing.
 *
 * @returns the environment by which the engine's plugin finds it.
 */
export async function provideEdge(sandbox: string): Promise<Record<string, string>> {
  const folder = await placeOf(sandbox);
  const token = await withLock(
    `${folder} daemon`,
    () => undefined,
    async () => {
      const running = await findDaemon(folder, EDGE);
      if (running === undefined) await (await portsOf(folder)).provide("api");
      return await tokenOf(folder);
    },
  );
  const text = await readIfThere(join(folder, "state.json"));
  if (isInUse({ ...EMPTY, ...(JSON.parse(text ?? "{}") as Partial<State>) })) await startEdge(sandbox);
  return {
    CLOUDFLARE_BASE_URL: await baseUrl(folder),
    CLOUDFLARE_API_TOKEN: token,
    // A command, by which the plugin starts the daemon where nothing answers yet.
    SANDBOX_EDGE: JSON.stringify([process.execPath, join(import.meta.dirname, "start.ts"), sandbox]),
  };
}

/** Starts the daemon, or finds it running; it answers when this returns. */
export async function startEdge(sandbox: string): Promise<Daemon> {
  const folder = await placeOf(sandbox);
  return await withLock(
    `${folder} daemon`,
    () => undefined,
    async () => {
      const daemon = await startDaemon({
        folder,
        name: EDGE,
        command: process.execPath,
        // With other sources it is another daemon.
        args: [
          join(import.meta.dirname, "main.ts"),
          await realpath(sandbox),
          "--sources",
          await sourcesHash(),
        ],
      });
      // Where its port is taken it chooses another one.
      await untilReady([daemon], async () => (await fetch(await baseUrl(folder))).status, PATIENCE);
      return daemon;
    },
  );
}

/** Ends the daemon and the Workers. What they keep stays. @returns how many processes there were. */
export async function stopEdge(sandbox: string): Promise<number> {
  const folder = edgeFolder(await realpath(sandbox).catch(() => sandbox));
  return await withLock(
    `${folder} daemon`,
    () => undefined,
    async () => {
      const running = (await findProcesses(folder)).length;
      // The daemon ends the Workers in its own way; what is left then would keep their ports.
      await stopDaemons(folder, [EDGE]);
      await stopDaemons(folder);
      return running;
    },
  );
}

/** The process id of the daemon, where it runs. */
export async function findEdge(sandbox: string): Promise<number | undefined> {
  return await findDaemon(edgeFolder(await realpath(sandbox)), EDGE);
}

/** The ports that the parts of a sandbox's Cloudflare had. */
export async function portsOf(folder: string): Promise<Ports> {
  return await Ports.in(join(folder, "ports.json"));
}

/** The token of the sandbox's engine, made at first; only its owner can read it. */
export async function tokenOf(folder: string): Promise<string> {
  const file = join(folder, "token");
  const before = await readIfThere(file);
  if (before !== undefined) return before;
  const token = randomBytes(30).toString("base64url");
  await writeFileAtomically(file, token);
  return token;
}

async function placeOf(sandbox: string): Promise<string> {
  await mkdir(sandbox, { recursive: true, mode: 0o700 });
  const folder = edgeFolder(await realpath(sandbox));
  await mkdir(folder, { recursive: true, mode: 0o700 });
  return folder;
}

async function baseUrl(folder: string): Promise<string> {
  return `http://127.0.0.1:${(await portsOf(folder)).noted("api") ?? 0}/client/v4`;
}

async function sourcesHash(): Promise<string> {
  const hash = createHash("sha256");
  const files = await readdir(import.meta.dirname, { recursive: true });
  for (const file of files.filter((name) => name.endsWith(".ts")).sort())
    hash.update(file).update(await readFile(join(import.meta.dirname, file)));
  return hash.digest("hex").slice(0, 12);
}
