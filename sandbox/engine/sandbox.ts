import { mkdir } from "node:fs/promises";
import { delimiter, dirname, join } from "node:path";
import { type ControlPlane, startControlPlane, stopControlPlane } from "../control-plane/index.ts";
import { provideEdge, stopEdge } from "../edge/index.ts";
import { installPlugins } from "../plugins/install.ts";
import { realAtticd, startPrograms, stopPrograms } from "../programs/index.ts";
import { MARK as DAEMON_MARK, stopDaemons } from "../support/daemon.ts";
import type { Progress } from "../support/progress.ts";
import { UserError } from "../support/user-error.ts";
import { provideManifests, provideTools } from "../toolchain/index.ts";
import { providePassphrase } from "./passphrase.ts";

/** A machine that stands in for a cluster and an account: all that the engine needs to run a stack. */
export interface Sandbox {
  folder: string;
  controlPlane: ControlPlane;
  /** Whether its pods answer. */
  programs: boolean;
  /** Environment for the engine and what it starts. */
  env: Readonly<Record<string, string>>;
}

export interface SandboxOptions {
  /** Whether its pods are to answer: then what they are runs as processes of this machine. */
  programs?: boolean;
}

/**
 * Brings a sandbox up, or finds it up.
 *
 * @param folder where it keeps what it makes; one folder, one sandbox.
 */
export async function openSandbox(
  folder: string,
  progress: Progress,
  { programs = false }: SandboxOptions = {},
): Promise<Sandbox> {
  // kwok takes a list of files apart at commas, and quotes begin a text in it.
  if (/[",\n]/.test(folder))
    throw new UserError(
      `${folder} has a comma or a quote in its path, which kwok does not take. Put the sandbox elsewhere by ATTIC_STACK_SANDBOX.`,
    );
  if (programs) await realAtticd();
  await mkdir(join(folder, "state"), { recursive: true, mode: 0o700 });
  const names = [
    "pulumi",
    "etcd",
    "kube-apiserver",
    "kube-controller-manager",
    "kube-scheduler",
    "kwok",
    ...(programs ? (["versitygw"] as const) : []),
  ] as const;
  const tools = await provideTools(names, progress);
  const manifests = await provideManifests(progress);
  const controlPlane = await startControlPlane({
    folder: join(folder, "control-plane"),
    tools,
    manifests,
    progress,
  });
  if (programs) await startPrograms(folder, tools.versitygw);
  const edge = programs ? await provideEdge(folder) : {};
  const home = join(folder, "pulumi-home");
  await installPlugins({
    folder: join(folder, "plugins"),
    home,
    node: process.execPath,
    cli: tools.pulumi,
    real: realPlugins(),
  });
  const path = [dirname(process.execPath), dirname(tools.pulumi), process.env.PATH].join(delimiter);
  return {
    folder,
    controlPlane,
    programs,
    env: {
      PATH: path,
      KUBECONFIG: controlPlane.kubeconfig,
      ...edge,
      PULUMI_HOME: home,
      PULUMI_BACKEND_URL: `file://${join(folder, "state")}`,
      PULUMI_CONFIG_PASSPHRASE_FILE: await providePassphrase(folder),
      PULUMI_SKIP_UPDATE_CHECK: "true",
      PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION: "true",
      // What happens to stand on PATH is not what the sandbox has put in its place.
      PULUMI_IGNORE_AMBIENT_PLUGINS: "true",
      // Nor is a server that a person's shell names the sandbox's.
      ATTIC_SERVER_URL: "",
      ATTIC_ADMIN_TOKEN: "",
      // By it a killed start's engine is found and ended before the next one begins.
      [DAEMON_MARK.folder]: engineFolder(folder),
      [DAEMON_MARK.name]: "engine",
    },
  };
}

/**
 * Ends all that runs of a sandbox. What it keeps stays, and the next time it goes on from there.
 *
 * @returns how many processes there were.
 */
export async function closeSandbox(folder: string): Promise<number> {
  const engine = await stopDaemons(engineFolder(folder));
  const programs = (await stopPrograms(folder)) + (await stopEdge(folder));
  return engine + programs + (await stopControlPlane(join(folder, "control-plane")));
}

/** The folder under which the engine's processes of a sandbox are known. */
export function engineFolder(folder: string): string {
  return join(folder, "engine");
}

/** Plugins that are to be the official ones, from PATH: `SANDBOX_REAL=kubernetes,random`. */
function realPlugins(): string[] {
  return (process.env.SANDBOX_REAL ?? "").split(",").filter((name) => name !== "");
}
