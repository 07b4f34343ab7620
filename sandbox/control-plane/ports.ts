import { join } from "node:path";
import { findDaemon } from "../support/daemon.ts";
import { readIfThere, writeFileAtomically } from "../support/files.ts";
import { anyFreePort, holderOf, isPortFree } from "../support/port.ts";
import { UserError } from "../support/user-error.ts";
import type { Ports } from "./parts.ts";

/** The environment variable that fixes the API server's port. */
const FIXED = "SANDBOX_KUBERNETES_PORT";

/**
 * The ports of a control plane: those it had, as long as they are free or its own, else free ones.
 *
 * @throws UserError where a port is fixed by `SANDBOX_KUBERNETES_PORT` and something else listens on it.
 */
export async function providePorts(folder: string): Promise<Ports> {
  const path = join(folder, "ports.json");
  const before = parse(await readIfThere(path));
  const fixed = fixedPort();
  const ports: Ports = {
    kubernetes: await choose(folder, "kube-apiserver", fixed ?? before?.kubernetes, before?.kubernetes),
    kubelet: await choose(folder, "kwok", before?.kubelet, before?.kubelet),
  };
  if (fixed !== undefined && ports.kubernetes !== fixed) {
    throw new UserError(
      `Port ${fixed} on 127.0.0.1, which ${FIXED} asks for, is taken by ${await holderOf(fixed)}: end that, or set ${FIXED} to another port or to nothing.`,
    );
  }
  await writeFileAtomically(path, JSON.stringify(ports), 0o644);
  return ports;
}

function parse(text: string | undefined): Ports | undefined {
  return text === undefined ? undefined : (JSON.parse(text) as Ports);
}

function fixedPort(): number | undefined {
  const text = process.env[FIXED];
  if (!text) return undefined;
  const port = Number(text);
  if (Number.isInteger(port) && port > 0 && port < 65_536) return port;
  throw new UserError(`${FIXED} is "${text}": it has to be a port from 1 to 65535, or nothing.`);
}

/** The port wanted, if our daemon has it already or it is free; else any that is free. */
async function choose(
  folder: string,
  daemon: string,
  wanted: number | undefined,
  before: number | undefined,
) {
  if (wanted === undefined) return await anyFreePort();
  const ours = wanted === before && (await findDaemon(folder, daemon)) !== undefined;
  return ours || (await isPortFree(wanted)) ? wanted : await anyFreePort();
}
