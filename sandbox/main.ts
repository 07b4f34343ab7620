import { join } from "node:path";
import { SANDBOX } from "./paths.ts";
import { writeFileAtomically } from "./support/files.ts";
import { Progress } from "./support/progress.ts";
import { UserError } from "./support/user-error.ts";

const [command = "", ...args] = process.argv.slice(2);
const progress = new Progress();

/** What `npm run` can ask for. Each is loaded only when it is asked for: the engine's libraries are large. */
const commands: Record<string, () => Promise<void>> = {
  start: async () => (await import("./commands/start.ts")).start(args, progress),
  stop: async () => (await import("./commands/stop.ts")).stop(progress),
  test: async () => (await import("./commands/test.ts")).test(args, progress),
  bench: async () => (await import("./commands/bench.ts")).bench(args, progress),
  check: async () => {
    (await import("./commands/check.ts")).check(progress);
  },
};

try {
  const run = commands[command];
  if (run === undefined) {
    throw new UserError(`There is no command ${command}. There are: ${Object.keys(commands).join(", ")}.`);
  }
  await run();
  // The Automation API leaves connections open that nobody needs any more.
  process.exit();
} catch (error) {
  process.stderr.write(`\n${error instanceof UserError ? error.message : await unexpected(error)}\n`);
  process.exit(1);
}

/** A fault of the sandbox itself: one line for the person, the rest in a file for whoever mends it. */
async function unexpected(error: unknown): Promise<string> {
  const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
  const file = join(SANDBOX, "error.log");
  await writeFileAtomically(file, `${text}\n`);
  const [first = ""] = text.split("\n");
  return `npm run ${command} failed in a way that it should not: ${first}\nThe details are in ${file}.`;
}
