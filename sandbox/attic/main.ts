import { UserError } from "../support/user-error.ts";
import { readArguments } from "./arguments.ts";
import { openAttic } from "./attic.ts";
import { collectOnce, collectPeriodically } from "./collector.ts";
import { loadConfig } from "./config/load.ts";
import { migrate } from "./database/migrations.ts";
import { serve } from "./http/server.ts";
import { log } from "./log.ts";

// A stand-in for atticd: its command line, its configuration, its tables and its answers.
try {
  await run();
} catch (error) {
  log(error instanceof UserError ? error.message : `Error: ${(error as Error).message}`);
  process.exitCode = 1;
}

async function run(): Promise<void> {
  const args = readArguments(process.argv.slice(2));
  log("Attic Server, played by the sandbox's stand-in");
  const config = loadConfig(args, process.env);
  if (args.mode === "check-config") return;
  const stop = stopSignal();
  const attic = await openAttic(config);
  try {
    switch (args.mode) {
      case "monolithic":
        await runMigrations();
        await Promise.all([serve(attic, stop), collectPeriodically(attic, stop.signal)]);
        break;
      case "api-server":
        await serve(attic, stop);
        break;
      case "garbage-collector":
        await collectPeriodically(attic, stop.signal);
        break;
      case "garbage-collector-once":
        await collectOnce(attic);
        break;
      case "db-migrations":
        await runMigrations();
        break;
    }
  } finally {
    await attic.database.end();
  }

  async function runMigrations(): Promise<void> {
    log("Running migrations...");
    await migrate(attic.database);
  }
}

function stopSignal(): AbortController {
  const stop = new AbortController();
  for (const signal of ["SIGTERM", "SIGINT"] as const) {
    process.once(signal, () => {
      log(`Received ${signal}, exiting gracefully...`);
      stop.abort();
    });
  }
  return stop;
}
