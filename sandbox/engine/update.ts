import type {
  DiagnosticEvent,
  EngineEvent,
  OpMap,
  Stack,
  StepEventMetadata,
} from "@pulumi/pulumi/automation/index.js";
import { ROOT } from "../paths.ts";
import { join } from "node:path";
import type { Progress } from "../support/progress.ts";
import { UserError } from "../support/user-error.ts";
import { keepNotCreated } from "./recover.ts";
import type { Sandbox } from "./sandbox.ts";

/** What an update did. */
export interface Updated {
  /** How many resources were created, updated, replaced, deleted or left the same. */
  changes: OpMap;
  /** Warnings of the program, without the engine's colours. */
  warnings: string[];
}

/** A provider's remark on an object that is not ready yet: nothing to act on. */
function isPassing({ severity, urn = "" }: DiagnosticEvent): boolean {
  return severity === "warning" && urn.includes("kubernetes:");
}

export const POLICY_PACK = join(ROOT, "policy");

/**
 * Runs `pulumi up` with the policy pack, and shows each resource as it is worked on.
 *
 * @throws UserError with what the engine reports, where the update fails.
 */
export async function update(stack: Stack, sandbox: Sandbox, progress: Progress): Promise<Updated> {
  const messages: { severity: string; message: string }[] = [];
  const failed: StepEventMetadata[] = [];
  const began = new Date();
  return await progress.task(`pulumi up --stack ${stack.name}`, async (say) => {
    const onEvent = (event: EngineEvent) => {
      const diagnostic = event.diagnosticEvent;
      if (diagnostic && !isPassing(diagnostic))
        messages.push({ severity: diagnostic.severity, message: plain(diagnostic.message) });
      const violation = event.policyEvent;
      if (violation?.enforcementLevel === "mandatory") {
        messages.push({ severity: "error", message: `${violation.policyName}: ${plain(violation.message)}` });
      }
      if (event.resOpFailedEvent) failed.push(event.resOpFailedEvent.metadata);
      const step = event.resourcePreEvent?.metadata;
      if (step && step.op !== "same") say(`${step.op} ${step.type} ${step.urn.split("::").at(-1) ?? ""}`);
    };
    const of = (severity: string) =>
      messages.filter((entry) => entry.severity === severity).map(({ message }) => message);
    try {
      const { summary } = await stack.up({
        onEvent,
        policyPacks: [POLICY_PACK],
        color: "never",
        suppressProgress: true,
      });
      return { changes: summary.resourceChanges ?? {}, warnings: of("warning") };
    } catch (error) {
      await keepNotCreated(sandbox, began, failed);
      const reported = [...new Set([...of("error"), ...printedErrors(error)])];
      if (reported.length === 0) throw error;
      throw new UserError(reported.join("\n"));
    }
  });
}

/** A message without the engine's marks for colours, and without the blank lines around it. */
function plain(text: string): string {
  return text.replace(/<\{%[^%]*%\}>/g, "").trim();
}

/** What the CLI itself has to say, before there is an engine to report anything. */
function printedErrors(error: unknown): string[] {
  const { commandResult } = error as { commandResult?: { stderr: string } };
  const lines = commandResult?.stderr.split("\n") ?? [];
  return lines.filter((line) => line.startsWith("error: ")).map((line) => line.slice("error: ".length));
}
