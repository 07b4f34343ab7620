import { spawn } from "node:child_process";
import automation, { type PulumiFn, type Stack } from "@pulumi/pulumi/automation/index.js";
import { stopDaemons } from "../support/daemon.ts";
import { prepareAutomation } from "./automation.ts";
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
  prepareAutomation(sandbox);
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
    await setSecret(sandbox, file.folder, name, `${PROJECT}:${key}`, value);
  }
  return stack;
}

/**
 * Sets a secret by standard input. The Automation API has it among the command's arguments, where everybody on the
 * machine can read it.
 */
async function setSecret(
  sandbox: Sandbox,
  folder: string,
  stack: string,
  key: string,
  value: string,
): Promise<void> {
  const args = ["config", "set", "--secret", key, "--stack", stack, "--non-interactive"];
  const env = { ...process.env, ...sandbox.env };
  const child = spawn("pulumi", args, { cwd: folder, env, stdio: ["pipe", "ignore", "pipe"] });
  let said = "";
  child.stderr.on("data", (data: Buffer) => (said += data.toString()));
  child.stdin.on("error", () => undefined).end(value);
  const code = await new Promise((resolve, reject) => child.on("close", resolve).on("error", reject));
  if (code !== 0) throw new Error(`pulumi config set ${key} ended with ${String(code)}: ${said.trim()}`);
}
