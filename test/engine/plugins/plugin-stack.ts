import type { EngineEvent, OutputMap, PulumiFn, Stack } from "@pulumi/pulumi/automation/index.js";
import { openStack } from "../../../sandbox/engine/stack.ts";
import { Api } from "../../../sandbox/plugins/kubernetes/api.ts";
import { connect, readKubeconfig } from "../../../sandbox/plugins/kubernetes/kubeconfig.ts";
import { testSandbox } from "../../support/sandbox.ts";

/** What one run of the engine did, and what it complained of. */
export interface Run {
  ok: boolean;
  /**
   * "create settings", in alphabetical order, without what stayed the same; a replacement is one step. Of a run that
   * failed "failed: ..." comes last.
   */
  steps: string[];
  /** The properties that the last step of a resource names as changed, by resource. */
  changed: Record<string, string[]>;
  errors: string[];
  /** What the CLI printed of a run that went well. */
  printed: string;
  outputs: OutputMap;
}

const REPLACED: Readonly<Record<string, string>> = {
  "create-replacement,replace,delete-replaced": "replace",
  "create-replacement,replace": "replace",
  "delete-replaced,replace,create-replacement": "delete-and-replace",
};

/** A small stack of its own program, in the tests' sandbox, with the plugins and nothing else to test. */
export class PluginStack {
  readonly #stack: Stack;

  private constructor(stack: Stack) {
    this.#stack = stack;
  }

  /** Opens the stack with nothing in it. */
  static async open(name: string, program: PulumiFn): Promise<PluginStack> {
    const stack = new PluginStack(await openStack(await testSandbox(), name, program, {}));
    await stack.destroy();
    return stack;
  }

  async preview(): Promise<Run> {
    return await this.#run((onEvent) => this.#stack.preview({ color: "never", onEvent }));
  }

  async up(): Promise<Run> {
    return await this.#run((onEvent) => this.#stack.up({ color: "never", onEvent }));
  }

  async refresh(): Promise<Run> {
    return await this.#run((onEvent) => this.#stack.refresh({ color: "never", onEvent }));
  }

  async destroy(): Promise<Run> {
    return await this.#run((onEvent) => this.#stack.destroy({ color: "never", onEvent }));
  }

  /** The resource of a name, as the state holds it. */
  async resource(name: string): Promise<StateResource> {
    const { deployment } = (await this.#stack.exportStack()) as {
      deployment: { resources?: StateResource[] };
    };
    const found = deployment.resources?.find(({ urn }) => urn.endsWith(`::${name}`));
    if (!found) throw new Error(`the state has no ${name}`);
    return found;
  }

  async #run(work: (onEvent: (event: EngineEvent) => void) => Promise<{ stdout: string }>): Promise<Run> {
    const events: EngineEvent[] = [];
    try {
      const result = await work((event) => events.push(event));
      const outputs = "outputs" in result ? (result.outputs as OutputMap) : {};
      return { ok: true, ...summary(events), printed: result.stdout, outputs };
    } catch (error) {
      const found = summary(events);
      if (found.errors.length === 0) throw error;
      // Where a test looks only at the steps, it is to see why they came to an end.
      return {
        ok: false,
        ...found,
        steps: [...found.steps, ...found.errors.map((why) => `failed: ${why}`)],
        printed: "",
        outputs: {},
      };
    }
  }
}

export interface StateResource {
  urn: string;
  id?: string;
  inputs: Record<string, unknown>;
  outputs: Record<string, unknown>;
  initErrors?: string[];
}

function summary(events: readonly EngineEvent[]): Omit<Run, "ok" | "printed" | "outputs"> {
  const operations = new Map<string, string[]>();
  const changed: Record<string, string[]> = {};
  const errors: string[] = [];
  for (const { resourcePreEvent, diagnosticEvent } of events) {
    if (diagnosticEvent?.severity === "error") errors.push(diagnosticEvent.message.trim());
    if (resourcePreEvent === undefined) continue;
    const { op, type, urn, detailedDiff } = resourcePreEvent.metadata;
    if (op === "same" || op === "refresh" || op === "read" || type.startsWith("pulumi:")) continue;
    const name = urn.split("::").at(-1) ?? "";
    operations.set(name, [...(operations.get(name) ?? []), op]);
    if (detailedDiff && Object.keys(detailedDiff).length > 0)
      changed[name] = Object.keys(detailedDiff).sort();
  }
  const steps = [...operations]
    .map(([name, done]) => `${REPLACED[done.join()] ?? done.join()} ${name}`)
    .sort();
  return { steps, changed, errors };
}

/** A client of the sandbox's cluster, for what happens behind the engine's back. */
export async function cluster(): Promise<Api> {
  const { controlPlane } = await testSandbox();
  return new Api(connect(readKubeconfig(controlPlane.kubeconfig), {}), "test");
}
