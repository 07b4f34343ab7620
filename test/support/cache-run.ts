import type { EngineEvent } from "@pulumi/pulumi/automation/index.js";

/** What the events of one run tell. */
export interface Summary {
  /** `create main`, in the order in which they began, without what stayed as it was. */
  steps: string[];
  /** The properties for which a resource was changed, by resource. */
  changed: Record<string, string[]>;
  /** `warning: ...`, without the engine's marks for colours. */
  messages: string[];
}

/** What is done to nothing. */
const NOTHING = ["same", "refresh", "read"];

export function summary(events: readonly EngineEvent[]): Summary {
  const steps: string[] = [];
  const changed: Record<string, string[]> = {};
  const messages: string[] = [];
  const refreshed = new Set<string>();
  for (const { resourcePreEvent, resOutputsEvent, diagnosticEvent } of events.filter(isForPeople)) {
    if (diagnosticEvent) messages.push(`${diagnosticEvent.severity}: ${plain(diagnosticEvent.message)}`);
    // What a refresh finds is known only when it has read the resource.
    const found = refreshed.has(resOutputsEvent?.metadata.urn ?? "") ? resOutputsEvent : undefined;
    const { op, type, urn, detailedDiff } = (resourcePreEvent ?? found)?.metadata ?? {};
    if (op === undefined || type === undefined || urn === undefined || type.startsWith("pulumi:")) continue;
    if (op === "refresh") refreshed.add(urn);
    if (NOTHING.includes(op)) continue;
    const name = urn.split("::").at(-1) ?? "";
    steps.push(`${op} ${name}`);
    const properties = Object.keys(detailedDiff ?? {});
    if (properties.length > 0) changed[name] = properties.sort();
  }
  return { steps, changed, messages };
}

/**
 * The SDK writes every answer of the engine into its debug messages, with secrets in clear; the engine shows them
 * to nobody who has not asked for `--debug`. https://github.com/pulumi/pulumi/pull/24478
 */
export function isForPeople({ diagnosticEvent }: EngineEvent): boolean {
  return (diagnosticEvent?.severity as string | undefined) !== "debug";
}

function plain(text: string): string {
  return text.replace(/<\{%[^%]*%\}>/g, "").trim();
}
