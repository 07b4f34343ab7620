import type { EngineEvent, PulumiFn, Stack } from "@pulumi/pulumi/automation/index.js";
import atticStack from "../../index.ts";
import { openSandbox, type Sandbox } from "../../sandbox/engine/sandbox.ts";
import { openStack } from "../../sandbox/engine/stack.ts";
import { PROJECT, readStackFile } from "../../sandbox/engine/stack-file.ts";
import { POLICY_PACK } from "../../sandbox/engine/update.ts";
import { stackFolder, TEST_STACK } from "../../sandbox/paths.ts";
import { Progress } from "../../sandbox/support/progress.ts";

let opened: Promise<Sandbox> | undefined;

/** The tests' own sandbox: `npm test` has opened it; where one file is run alone, it is opened here. */
export async function testSandbox(): Promise<Sandbox> {
  opened ??= openSandbox(stackFolder(TEST_STACK), new Progress(), { programs: true });
  return await opened;
}

/** Settings as they stand in Pulumi.<stack>.yaml, without the project's name; undefined takes a key out. */
export type Overrides = Readonly<Record<string, unknown>>;

/** The settings of Pulumi.lab.yaml, changed. */
export async function labSettings(overrides: Overrides = {}): Promise<Record<string, unknown>> {
  const changed = Object.entries(overrides).map(([key, value]) => [`${PROJECT}:${key}`, value] as const);
  const merged = { ...(await readStackFile("lab")), ...Object.fromEntries(changed) };
  return Object.fromEntries(Object.entries(merged).filter(([, value]) => value !== undefined));
}

/** What one run of the engine did. */
export interface Run {
  /** Whatever was not left as it was: "update kubernetes:apps/v1:Deployment attic", in alphabetical order. */
  steps: string[];
  events: EngineEvent[];
  stdout: string;
}

const OPTIONS = { color: "never", suppressProgress: true } as const;

/** A stack of the project in the tests' sandbox. */
export class TestStack {
  readonly name: string;
  readonly sandbox: Sandbox;
  #stack: Stack;

  private constructor(name: string, sandbox: Sandbox, stack: Stack) {
    this.name = name;
    this.sandbox = sandbox;
    this.#stack = stack;
  }

  /**
   * Opens a stack with nothing in it: what an earlier run of the tests left is destroyed.
   *
   * @param overrides of the settings of Pulumi.lab.yaml.
   */
  static async open(name: string, overrides: Overrides, program?: PulumiFn): Promise<TestStack> {
    const sandbox = await testSandbox();
    const run = program ?? (() => Promise.resolve(atticStack()));
    const stack = await openStack(sandbox, name, run, await labSettings(overrides));
    const test = new TestStack(name, sandbox, stack);
    if ((await test.resources()).length > 0) await test.destroy();
    return test;
  }

  /** Writes other settings into the stack's file, as a person would. */
  async configure(overrides: Overrides): Promise<void> {
    const program = () => Promise.resolve(atticStack());
    this.#stack = await openStack(this.sandbox, this.name, program, await labSettings(overrides));
  }

  async up(): Promise<Run> {
    return await this.#run((onEvent) => this.#stack.up({ ...OPTIONS, policyPacks: [POLICY_PACK], onEvent }));
  }

  async refresh(): Promise<Run> {
    return await this.#run((onEvent) => this.#stack.refresh({ ...OPTIONS, onEvent }));
  }

  async destroy(): Promise<Run> {
    return await this.#run((onEvent) => this.#stack.destroy({ ...OPTIONS, onEvent }));
  }

  /** The whole state, with its secrets in clear. */
  async state(): Promise<State> {
    return await this.#stack.exportStack();
  }

  /** The value of an output, secret or not. */
  async output(name: string): Promise<unknown> {
    return (await this.#stack.outputs())[name]?.value;
  }

  async resources(): Promise<StateResource[]> {
    return (await this.state()).deployment.resources ?? [];
  }

  async #run(work: (onEvent: (event: EngineEvent) => void) => Promise<{ stdout: string }>): Promise<Run> {
    const events: EngineEvent[] = [];
    const { stdout } = await work((event) => events.push(event));
    return { steps: steps(events), events, stdout };
  }
}

export interface StateResource {
  urn: string;
  type: string;
  custom: boolean;
  parent?: string;
  id?: string;
  outputs?: Record<string, unknown>;
}

export interface State {
  deployment: { resources?: StateResource[]; pending_operations?: unknown[] };
}

/** What the engine does for a resource that is replaced, in the order in which it does it. */
const REPLACED = new Map([
  ["create-replacement,replace,delete-replaced", "replace"],
  ["delete-replaced,replace,create-replacement", "delete-and-replace"],
]);
const NOTHING = ["same", "refresh", "read"];

function steps(events: readonly EngineEvent[]): string[] {
  const operations = new Map<string, string[]>();
  const refreshed = new Set<string>();
  for (const { resourcePreEvent, resOutputsEvent } of events) {
    // What a refresh finds is known only when it has read the resource.
    const found = refreshed.has(resOutputsEvent?.metadata.urn ?? "") ? resOutputsEvent : undefined;
    const { op, type, urn } = (resourcePreEvent ?? found)?.metadata ?? {};
    if (op === "refresh" && urn !== undefined) refreshed.add(urn);
    if (op === undefined || NOTHING.includes(op)) continue;
    const resource = `${type} ${urn?.split("::").at(-1)}`;
    operations.set(resource, [...(operations.get(resource) ?? []), op]);
  }
  return [...operations]
    .map(([resource, done]) => `${REPLACED.get(done.join()) ?? done.join()} ${resource}`)
    .sort();
}
