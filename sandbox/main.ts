import { Progress } from "./support/progress.ts";
import { UserError } from "./support/user-error.ts";

const [command = "", ...args] = process.argv.slice(2);
const progress = new Progress();

/** What `npm run` can ask for. Each is loaded only when it is asked for: the engine's libraries are large. */
const commands: Record<string, () => Promise<void>> = {
  start: async () => (await import("./commands/start.ts")).start(args, progress),
  stop: async () => (await import("./commands/stop.ts")).stop(progress),
  test: async () => (await import("./commands/test.ts")).test(args, progress),
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
  if (!(error instanceof UserError)) throw error;
  process.stderr.write(`\n${error.message}\n`);
  process.exit(1);
}
