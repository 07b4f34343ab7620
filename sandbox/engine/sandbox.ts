import { mkdir } from "node:fs/promises";
import { delimiter, dirname, join } from "node:path";
import { type ControlPlane, startControlPlane } from "../control-plane/index.ts";
import { installPlugins } from "../plugins/install.ts";
import { MARK as DAEMON_MARK } from "../support/daemon.ts";
import type { Progress } from "../support/progress.ts";
import { UserError } from "../support/user-error.ts";
import { provideManifests, provideTools } from "../toolchain/index.ts";
import { providePassphrase } from "./passphrase.ts";

/** A machine that stands in for a cluster and an account: all that the engine needs to run a stack. */
export interface Sandbox {
  folder: string;
  controlPlane: ControlPlane;
  /** Environment for the engine and what it starts. */
  env: Readonly<Record<string, string>>;
}

/**
 * Brings a sandbox up, or finds it up.
 *
 * @param folder where it keeps what it makes; one folder, one sandbox.
 */
export async function openSandbox(folder: string, progress: Progress): Promise<Sandbox> {
  // kwok takes a list of files apart at commas, and quotes begin a text in it.
  if (/[",\n]/.test(folder))
    throw new UserError(
      `${folder} has a comma or a quote in its path, which kwok does not take. Put the sandbox elsewhere by ATTIC_STACK_SANDBOX.`,
    );
  await mkdir(join(folder, "state"), { recursive: true, mode: 0o700 });
  const names = [
    "pulumi",
    "etcd",
    "kube-apiserver",
    "kube-controller-manager",
    "kube-scheduler",
    "kwok",
  ] as const;
  const tools = await provideTools(names, progress);
  const manifests = await provideManifests(progress);
  const controlPlane = await startControlPlane({
    folder: join(folder, "control-plane"),
    tools,
    manifests,
    progress,
  });
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
    env: {
      PATH: path,
      KUBECONFIG: controlPlane.kubeconfig,
      PULUMI_HOME: home,
      PULUMI_BACKEND_URL: `file://${join(folder, "state")}`,
      PULUMI_CONFIG_PASSPHRASE_FILE: await providePassphrase(folder),
      PULUMI_SKIP_UPDATE_CHECK: "true",
      PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION: "true",
      // What happens to stand on PATH is not what the sandbox has put in its place.
      PULUMI_IGNORE_AMBIENT_PLUGINS: "true",
      // By it a killed start's engine is found and ended before the next one begins.
      [DAEMON_MARK.folder]: engineFolder(folder),
      [DAEMON_MARK.name]: "engine",
    },
  };
}

/** The folder under which the engine's processes of a sandbox are known. */
export function engineFolder(folder: string): string {
  return join(folder, "engine");
}

/** Plugins that are to be the official ones, from PATH: `SANDBOX_REAL=kubernetes,random`. */
function realPlugins(): string[] {
  return (process.env.SANDBOX_REAL ?? "").split(",").filter((name) => name !== "");
}
