import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { closeSandbox } from "../engine/sandbox.ts";
import { SANDBOX } from "../paths.ts";
import type { Progress } from "../support/progress.ts";

/** `npm stop`: ends every process of every sandbox. What they keep stays, and a later start goes on with it. */
export async function stop(progress: Progress): Promise<void> {
  const entries = await readdir(SANDBOX, { withFileTypes: true }).catch(() => []);
  let stopped = 0;
  for (const entry of entries) {
    if (!entry.isDirectory()) continue;
    stopped += await closeSandbox(join(SANDBOX, entry.name));
  }
  progress.line(
    stopped === 0
      ? "No sandbox was running."
      : `Stopped ${stopped} processes. npm start goes on where they were.`,
  );
}
