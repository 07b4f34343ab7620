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
  contract: async () => (await import("./commands/contract.ts")).contract(args, progress),
  bench: async () => (await import("./commands/bench.ts")).bench(args, progress),
  check: async () => {
    (await import("./commands/check.ts")).check(progress);
  },
};

/** What the operating system says of a folder that is no place for a sandbox. */
const DISK_FAULTS: Readonly<Record<string, string>> = {
  ENOSPC: "no space is left there",
  EROFS: "it can only be read",
  EACCES: "it belongs to somebody else",
  EPERM: "it belongs to somebody else",
  ENOTDIR: "a part of its path is a file",
  EDQUOT: "no space is left for you there",
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
  const [first = ""] = text.split("\n");
  const { code = "", path = SANDBOX } = error as NodeJS.ErrnoException;
  if (DISK_FAULTS[code] !== undefined)
    return `${path} cannot be written, because ${DISK_FAULTS[code]}. Mend that, or put the sandbox elsewhere by ATTIC_STACK_SANDBOX, and run this again.`;
  const file = join(SANDBOX, "error.log");
  const kept = await writeFileAtomically(file, `${text}\n`).then(
    () => `The details are in ${file}.`,
    () => "",
  );
  return `npm run ${command} failed in a way that it should not: ${first}\n${kept}`;
}
