import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import automation, { type EngineEvent, type OutputMap, type Stack } from "@pulumi/pulumi/automation/index.js";
import * as yaml from "yaml";
import { prepareAutomation } from "../../sandbox/engine/automation.ts";
import { recover } from "../../sandbox/engine/recover.ts";
import { PROJECT } from "../../sandbox/engine/stack-file.ts";
import { ROOT } from "../../sandbox/paths.ts";
import { findProcesses, MARK } from "../../sandbox/support/daemon.ts";
import { isForPeople, type Summary, summary } from "./cache-run.ts";
import { Command, type Result } from "./command.ts";
import { declare, type Declared } from "./declared.ts";
import { type State, type StateResource, testSandbox } from "./sandbox.ts";

/** What one run of the engine did. */
export interface CacheRun extends Summary {
  ok: boolean;
  /** All that was said, in whatever form: for a look at what must not stand there. */
  printed: string;
  outputs: OutputMap;
}

export interface CacheStackOptions {
  /** For the engine and so for the provider. */
  env?: Readonly<Record<string, string>>;
  /** The folder of the provider's plugin, where it is not the project's own. */
  plugin?: string;
  /** What stands in Pulumi.<stack>.yaml. */
  config?: Readonly<Record<string, unknown>>;
}

export const STACK = "caches";
/** Of every such stack: it guards nothing that outlives a test. */
export const PASSPHRASE = "caches and tokens of a test";
const OPTIONS = { color: "never", suppressProgress: true } as const;

/** A small stack of caches and tokens and nothing else, with a folder, a state and a passphrase of its own. */
export class CacheStack {
  readonly folder: string;
  /** What the next run is to make of it: to be changed at will. */
  readonly declared: Declared;
  readonly #env: Readonly<Record<string, string>>;
  readonly #stack: Stack;

  private constructor(
    folder: string,
    declared: Declared,
    env: Readonly<Record<string, string>>,
    stack: Stack,
  ) {
    this.folder = folder;
    this.declared = declared;
    this.#env = env;
    this.#stack = stack;
  }

  static async open(declared: Declared, options: CacheStackOptions = {}): Promise<CacheStack> {
    const sandbox = await testSandbox();
    const folder = await mkdtemp(join(tmpdir(), "attic-stack-caches-"));
    const { PULUMI_CONFIG_PASSPHRASE_FILE, ...inherited } = sandbox.env;
    const env: Record<string, string> = {
      ...inherited,
      // Beside each file the backend keeps another, and writes that in place: a kill that leaves it empty ends in
      // "failed to load checkpoint: EOF" for ever (gocloud.dev/blob/fileblob, setAttrs). This leaves it out.
      PULUMI_BACKEND_URL: `file://${join(folder, "state")}?metadata=skip`,
      PULUMI_CONFIG_PASSPHRASE: PASSPHRASE,
      CACHE_STACK_DECLARED: join(folder, "declared.json"),
      // By it the engine is found with all that it has started.
      [MARK.folder]: folder,
      [MARK.name]: "engine",
      ...options.env,
    };
    await mkdir(join(folder, "state"));
    await writeProject(folder, options.plugin);
    const file = yaml.stringify({ config: options.config ?? {} });
    await writeFile(join(folder, `Pulumi.${STACK}.yaml`), file, { mode: 0o600 });
    prepareAutomation(sandbox);
    const stack = await automation.LocalWorkspace.createOrSelectStack(
      { stackName: STACK, projectName: PROJECT, program: () => Promise.resolve(declare(declared)) },
      { workDir: folder, envVars: env, pulumiHome: env.PULUMI_HOME ?? "", secretsProvider: "passphrase" },
    );
    return new CacheStack(folder, declared, env, stack);
  }

  async preview(): Promise<CacheRun> {
    return await this.#run((onEvent) => this.#stack.preview({ ...OPTIONS, onEvent }));
  }

  async up(options: { parallel?: number } = {}): Promise<CacheRun> {
    return await this.#run((onEvent) => this.#stack.up({ ...OPTIONS, ...options, onEvent }));
  }

  async refresh(options: { parallel?: number } = {}): Promise<CacheRun> {
    return await this.#run((onEvent) => this.#stack.refresh({ ...OPTIONS, ...options, onEvent }));
  }

  async destroy(): Promise<CacheRun> {
    return await this.#run((onEvent) => this.#stack.destroy({ ...OPTIONS, onEvent }));
  }

  /** The plain CLI, as a person has it, in this stack's folder. */
  async cli(...args: readonly string[]): Promise<Result> {
    return await (
      await this.command(...args)
    ).result;
  }

  async command(...args: readonly string[]): Promise<Command> {
    const line = [...args, "--stack", STACK, "--non-interactive"];
    await writeFile(this.#env.CACHE_STACK_DECLARED ?? "", JSON.stringify(this.declared), { mode: 0o600 });
    return new Command("pulumi", line, { cwd: this.folder, env: this.#env });
  }

  /** The processes of an engine that runs, and of all that it has started; the oldest first. */
  async processes(): Promise<number[]> {
    return (await findProcesses(this.folder)).map(({ pid }) => pid);
  }

  /** The whole state, with its secrets in clear. */
  async state(): Promise<State> {
    return await this.#stack.exportStack();
  }

  async setState(state: State): Promise<void> {
    await this.#stack.importStack({ version: 3, ...state });
  }

  /** Lets another copy of the provider's plugin work from now on. @param plugin its folder. */
  async usePlugin(plugin: string): Promise<void> {
    await writeProject(this.folder, plugin);
  }

  /** The resource of a name, as the state has it. */
  async resource(name: string): Promise<StateResource> {
    const { resources = [] } = (await this.state()).deployment;
    const found = resources.find(({ urn }) => urn.endsWith(`::${name}`));
    if (found === undefined) throw new Error(`the state has no ${name}`);
    return found;
  }

  /** Frees the stack of what a killed engine has left, as the sandbox does. */
  async recover(): Promise<void> {
    await recover(this.#stack, { ...(await testSandbox()), folder: this.folder });
  }

  async close(): Promise<void> {
    await rm(this.folder, { recursive: true, force: true });
  }

  async #run(
    work: (onEvent: (event: EngineEvent) => void) => Promise<{ stdout: string; stderr: string }>,
  ): Promise<CacheRun> {
    const events: EngineEvent[] = [];
    const described = (stdout: string, stderr: string) => ({
      ...summary(events),
      printed: `${stdout}${stderr}${JSON.stringify(events.filter(isForPeople))}`,
    });
    try {
      const result = await work((event) => events.push(event));
      const outputs = "outputs" in result ? (result.outputs as OutputMap) : {};
      return { ok: true, ...described(result.stdout, result.stderr), outputs };
    } catch (error) {
      const { commandResult } = error as { commandResult?: { stdout: string; stderr: string } };
      if (commandResult === undefined) throw error;
      return { ok: false, ...described(commandResult.stdout, commandResult.stderr), outputs: {} };
    }
  }
}

async function writeProject(folder: string, plugin = join(ROOT, "provider/attic")): Promise<void> {
  const project = {
    name: PROJECT,
    runtime: { name: "nodejs", options: { typescript: false } },
    main: join(ROOT, "test/support/cache-program.ts"),
    plugins: { providers: [{ name: "attic", path: plugin }] },
  };
  await writeFile(join(folder, "Pulumi.yaml"), yaml.stringify(project));
}
