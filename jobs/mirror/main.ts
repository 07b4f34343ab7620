import { setFlagsFromString } from "node:v8";
import { EXIT, type Exit } from "./exit-status.ts";
import { Log } from "./log.ts";
import { makeRoles } from "./make-roles.ts";
import { run } from "./run.ts";
import { readSettings, type Settings, WrongSettings } from "./settings.ts";
import { Failure } from "./trouble.ts";

/** How long a run that was asked to end may take for it, in milliseconds: less than Kubernetes waits. */
const ENDING = 25_000;

// Node lets what is young grow to 16 MiB before it looks what of it is still needed, which costs a small pod more than
// looking more often does.
setFlagsFromString("--semi-space-growth-factor=1");

/** `mirror` runs once; `mirror roles` makes the roles that it uses. */
async function main(args: readonly string[]): Promise<Exit> {
  const stop = new AbortController();
  for (const signal of ["SIGTERM", "SIGINT"] as const)
    process.once(signal, () => {
      stop.abort();
      setTimeout(() => process.exit(EXIT.stopped), ENDING).unref();
    });
  if (args.length === 1 && args[0] === "roles") return await makeRoles(process.env);
  if (args.length > 0) throw new WrongSettings("the only argument that there may be is roles");
  const settings: Settings = readSettings(process.env);
  return await run(settings, new Log(settings.secrets), stop);
}

main(process.argv.slice(2)).then(
  // Whatever is still open: a run that does not end keeps the next one from beginning.
  (exit) => process.exit(exit),
  (error: unknown) => {
    if (!(error instanceof WrongSettings || error instanceof Failure)) throw error;
    const log = new Log([]);
    for (const line of error.message.split("\n")) log.error(line);
    process.exitCode = error instanceof WrongSettings ? EXIT.wrongSettings : EXIT.couldNotRun;
  },
);
