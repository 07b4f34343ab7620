import automation, { type PulumiFn, type Stack } from "@pulumi/pulumi/automation/index.js";
import { stopDaemons } from "../support/daemon.ts";
import { recover } from "./recover.ts";
import { engineFolder, type Sandbox } from "./sandbox.ts";
import { PROJECT, writeStackFile } from "./stack-file.ts";

/**
 * Opens a stack in a sandbox by the Automation API, made where it is not there yet, and freed of what a
 * killed run left behind.
 *
 * @param config keys with the project's name, as they stand in Pulumi.<stack>.yaml.
 */
export async function openStack(
  sandbox: Sandbox,
  name: string,
  program: PulumiFn,
  config: Record<string, unknown>,
): Promise<Stack> {
  // Whoever opens a stack has the sandbox for itself, so an engine that still runs is a killed run's.
  await stopDaemons(engineFolder(sandbox.folder));
  const file = await writeStackFile(sandbox.folder, name, config);
  // The Automation API looks for the CLI on this process' own PATH.
  process.env.PATH = sandbox.env.PATH;
  const stack = await automation.LocalWorkspace.createOrSelectStack(
    { stackName: name, projectName: PROJECT, program },
    {
      workDir: file.folder,
      envVars: { ...sandbox.env },
      pulumiHome: sandbox.env.PULUMI_HOME ?? "",
      secretsProvider: "passphrase",
    },
  );
  await recover(stack, sandbox);
  for (const [key, value] of Object.entries(file.secrets)) {
    await stack.setConfig(`${PROJECT}:${key}`, { value, secret: true });
  }
  return stack;
}
