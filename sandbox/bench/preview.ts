import { spawn } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import * as yaml from "yaml";
import automation from "@pulumi/pulumi/automation/index.js";
import atticStack from "../../index.ts";
import { openSandbox } from "../engine/sandbox.ts";
import { openStack } from "../engine/stack.ts";
import { readStackFile } from "../engine/stack-file.ts";
import { update } from "../engine/update.ts";
import { stackFolder } from "../paths.ts";
import { writeFileAtomically } from "../support/files.ts";
import type { Progress } from "../support/progress.ts";
import type { BareResource } from "./bare/index.ts";

/** Two stacks in one sandbox: the lab stack, and a bare program with as many of the same Kubernetes resources. */
export interface PreviewBench {
  /** Previews the lab stack by the plain CLI, with nothing to change. */
  stack: () => Promise<void>;
  /** The same for the bare program. */
  bare: () => Promise<void>;
  /** Peak memory of the lab stack's program in a preview, in MB, and how many files of @pulumi/aws it loaded. */
  program: () => Promise<{ megabytes: number; awsModules: number }>;
}

interface Resource {
  urn: string;
  type: string;
  custom: boolean;
  inputs: Record<string, unknown>;
}

const BARE_PROJECT = {
  name: "bare",
  runtime: { name: "nodejs", options: { typescript: false, nodeargs: "--max-semi-space-size=8" } },
  main: join(import.meta.dirname, "bare/index.ts"),
};

/** Deploys both, so that a preview of either has nothing to change. */
export async function previewBench(progress: Progress): Promise<PreviewBench> {
  const folder = stackFolder("bench");
  const sandbox = await openSandbox(folder, progress, { programs: true });
  const stack = await openStack(
    sandbox,
    "bench",
    () => Promise.resolve(atticStack()),
    await readStackFile("lab"),
  );
  await update(stack, sandbox, progress);

  const state = (await stack.exportStack()) as { deployment: { resources: Resource[] } };
  const list = join(folder, "bare-resources.json");
  await writeFile(list, JSON.stringify(bareResources(state.deployment.resources)));
  const bareFolder = join(folder, "bare");
  await writeFileAtomically(join(bareFolder, "Pulumi.yaml"), yaml.stringify(BARE_PROJECT));
  const env = { ...sandbox.env, BARE_RESOURCES: list };
  await progress.task("the bare program", async () => {
    const bare = await automation.LocalWorkspace.createOrSelectStack(
      { stackName: "bare", workDir: bareFolder },
      { envVars: env, pulumiHome: sandbox.env.PULUMI_HOME ?? "", secretsProvider: "passphrase" },
    );
    await bare.up({ suppressProgress: true });
  });

  const report = join(folder, "program.json");
  return {
    stack: () => preview(join(folder, "project"), "bench", sandbox.env),
    bare: () => preview(bareFolder, "bare", env),
    program: async () => {
      const hook = `--import=${join(import.meta.dirname, "watch-program.mjs")}`;
      await preview(join(folder, "project"), "bench", {
        ...sandbox.env,
        NODE_OPTIONS: hook,
        PROGRAM_REPORT: report,
      });
      const { default: text } = (await import(report, { with: { type: "json" } })) as {
        default: { megabytes: number; awsModules: number };
      };
      return text;
    },
  };
}

/** The Kubernetes resources of a stack, in a namespace of their own so that both can stand in one cluster. */
function bareResources(resources: readonly Resource[]): BareResource[] {
  return resources
    .filter(({ custom, type }) => custom && type.startsWith("kubernetes:"))
    .map(({ urn, type, inputs }) => ({
      type,
      name: urn.split("::").at(-1) ?? "",
      inputs: inNamespace(inputs, type === "kubernetes:core/v1:Namespace"),
    }));
}

function inNamespace(inputs: Record<string, unknown>, isNamespace: boolean): Record<string, unknown> {
  const { annotations, ...metadata } = inputs.metadata as Record<string, unknown>;
  const kept = Object.entries(annotations ?? {}).filter(([name]) => name !== "pulumi.com/autonamed");
  const place = isNamespace ? { name: "bare" } : { namespace: "bare" };
  const annotated = kept.length > 0 ? { annotations: Object.fromEntries(kept) } : {};
  const changed = { ...inputs, metadata: { ...metadata, ...annotated, ...place } };
  return JSON.parse(JSON.stringify(changed), withoutSecret) as Record<string, unknown>;
}

/** Puts a word of no meaning in the place of each text of a secret, as `pulumi stack export` writes one. */
function withoutSecret(_key: string, value: unknown): unknown {
  const plaintext = (value as { plaintext?: string } | null)?.plaintext;
  if (plaintext === undefined) return value;
  return JSON.parse(plaintext, (_name, leaf: unknown) =>
    typeof leaf === "string" ? "bare" : leaf,
  ) as unknown;
}

async function preview(folder: string, stack: string, env: Readonly<Record<string, string>>): Promise<void> {
  const child = spawn("pulumi", ["preview", "--stack", stack, "--expect-no-changes", "--non-interactive"], {
    cwd: folder,
    env: { ...process.env, ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let output = "";
  child.stdout.on("data", (data: Buffer) => (output += data.toString()));
  child.stderr.on("data", (data: Buffer) => (output += data.toString()));
  const code = await new Promise((resolve, reject) => child.on("exit", resolve).on("error", reject));
  if (code !== 0) throw new Error(`pulumi preview --stack ${stack} ended with ${String(code)}:\n${output}`);
}
