import { startWorkerd, type Worker } from "./miniflare.ts";
import { analyticsWorkers } from "./options.ts";

const PROBE = "/inspect.sandbox.mjs";

/**
 * Starts a Worker beside the others, to see whether it starts at all: one that does not would take all with it.
 *
 * @returns the events that it handles, such as "fetch".
 * @throws Error with what workerd says of it.
 */
export async function inspectWorker(worker: Worker): Promise<string[]> {
  const { modules = [] } = worker;
  const main = modules[0]?.path;
  const entry = main === undefined ? [] : [{ type: "ESModule" as const, path: PROBE, contents: probe(main) }];
  const inspected = {
    ...worker,
    name: "inspected",
    ...(entry.length > 0 && { modules: [...entry, ...modules] }),
  };
  const workerd = startWorkerd({
    silent: true,
    workers: [
      inspected,
      ...analyticsWorkers([worker], { points: () => Promise.resolve(new Response(null)) }),
    ],
  });
  try {
    await workerd.ready;
    if (main === undefined) return ["fetch"];
    const response = await workerd.dispatchFetch("http://inspected/");
    return (await response.json()) as string[];
  } catch (error) {
    throw new Error(words(error), { cause: error });
  } finally {
    await workerd.dispose();
  }
}

function probe(main: string): string {
  return `
import * as worker from ${JSON.stringify(`.${main}`)};
const known = ["fetch", "scheduled", "queue", "email", "tail", "trace"];
export default {
  fetch() {
    const handler = worker.default;
    const methods = typeof handler === "function" ? handler.prototype : (handler ?? {});
    return Response.json(known.filter((name) => typeof methods[name] === "function"));
  },
};`;
}

/** What workerd said, without what miniflare says of itself. */
function words(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  const said = message.split("Runtime stderr:").at(-1) ?? "";
  const lines = said.split("\n").map((line) => line.replace(/^service core:user:inspected: /, "").trim());
  return (
    lines
      .filter((line) => line !== "" && !line.includes(PROBE.slice(1)))
      .slice(0, 3)
      .join(" ") || message
  );
}
