import { parseArgs } from "node:util";
import { UserError } from "../support/user-error.ts";

/** What a process of Attic can be; the same names as in its own command line. */
export const MODES = [
  "monolithic",
  "api-server",
  "garbage-collector",
  "db-migrations",
  "garbage-collector-once",
  "check-config",
] as const;

export type Mode = (typeof MODES)[number];

export interface Arguments {
  /** Path of server.toml; without it the configuration comes from the environment. */
  config?: string;
  mode: Mode;
  /** Address that takes the place of the configured one. */
  listen?: string;
}

/**
 * Reads the command line of atticd (server/src/main.rs at b7c9056).
 *
 * @throws UserError that says what is not known.
 */
export function readArguments(args: readonly string[]): Arguments {
  const { config, listen, mode } = parsed(args);
  const known = MODES.find((name) => name === mode);
  if (known === undefined)
    throw new UserError(`There is no mode ${JSON.stringify(mode)}. There are: ${MODES.join(", ")}.`);
  return {
    mode: known,
    ...(config !== undefined && { config }),
    ...(listen !== undefined && { listen }),
  };
}

function parsed(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        config: { type: "string", short: "f" },
        listen: { type: "string", short: "l" },
        mode: { type: "string", default: "monolithic" },
      },
    }).values;
  } catch (error) {
    throw new UserError(
      `${(error as Error).message.split("\n")[0] ?? ""} Use: -f FILE --mode MODE --listen ADDRESS.`,
    );
  }
}
