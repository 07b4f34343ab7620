import { readFileSync } from "node:fs";
import { parse } from "smol-toml";
import { UserError } from "../../support/user-error.ts";
import type { Arguments } from "../arguments.ts";
import { decodeBase64 } from "./base64.ts";
import { type ServerToml, serverToml, socketAddress } from "./schema.ts";
import { readSigningKey, type VerificationKey } from "./signing-key.ts";

const CONFIG_VARIABLE = "ATTIC_SERVER_CONFIG_BASE64";
const DATABASE_VARIABLE = "ATTIC_SERVER_DATABASE_URL";

/** Everything that a process of Attic is told. */
export interface Config extends ServerToml {
  /** Secret: it holds the password. */
  databaseUrl: string;
  signingKey: VerificationKey;
}

/**
 * Reads the file, or the variable where no file is named, as Attic does.
 *
 * @throws UserError with every mistake in it, and nothing secret.
 */
export function loadConfig({ config, listen }: Arguments, env: NodeJS.ProcessEnv): Config {
  const source = config ?? CONFIG_VARIABLE;
  const { success, data, error } = serverToml.safeParse(parseToml(source, readText(config, env)));
  if (!success) {
    const mistakes = error.issues.map(
      ({ path, message }) => `  ${path.join(".") || "top level"}: ${message}`,
    );
    throw new UserError([`${source} cannot be used:`, ...mistakes].join("\n"));
  }
  const databaseUrl = data.database.url ?? env[DATABASE_VARIABLE];
  if (databaseUrl === undefined) throw new UserError(`Neither database.url nor ${DATABASE_VARIABLE} is set.`);
  return {
    ...data,
    ...(listen !== undefined && { listen: readListen(listen) }),
    databaseUrl,
    signingKey: readSigningKey(data.jwt.signing, env),
  };
}

function readListen(text: string): ServerToml["listen"] {
  const { success, data } = socketAddress.safeParse(text);
  if (!success) throw new UserError(`--listen ${text} is not an address with a port, such as [::]:8080.`);
  return data;
}

function readText(file: string | undefined, env: NodeJS.ProcessEnv): string {
  if (file !== undefined) {
    try {
      return readFileSync(file, "utf8");
    } catch (error) {
      throw new UserError(`${file} cannot be read: ${(error as NodeJS.ErrnoException).code ?? ""}.`);
    }
  }
  const encoded = env[CONFIG_VARIABLE];
  if (encoded === undefined)
    throw new UserError(`There is no configuration: name a file by -f, or set ${CONFIG_VARIABLE}.`);
  const bytes = decodeBase64(encoded);
  if (bytes === undefined) throw new UserError(`${CONFIG_VARIABLE} is not base64 in one piece.`);
  return bytes.toString();
}

function parseToml(source: string, text: string): unknown {
  try {
    return parse(text);
  } catch (error) {
    // Only the first line: the rest quotes the text, where a password may stand.
    throw new UserError(`${source} is not TOML: ${(error as Error).message.split("\n")[0] ?? ""}.`);
  }
}
