import type { Container } from "../objects.ts";
import { join } from "node:path";
import type { TomlTable } from "smol-toml";
import { httpAnswers } from "../answers.ts";
import { mountedFile, placeOnHost, type PodContainer, words } from "../container.ts";
import type { Endpoint, Kind, Program, StoreRequest, Surroundings } from "../program.ts";
import { rewritePaths, rewriteValues } from "../rewrite.ts";
import { localDatabaseUrl } from "./database-url.ts";
import { rewriteServerToml } from "./server-toml.ts";

const PORT = 8080;
const SERVERS = ["api-server", "monolithic"];
const ONCE = ["db-migrations", "garbage-collector-once"];
const MODES = [...SERVERS, ...ONCE, "garbage-collector"];

const URL_VARIABLE = "ATTIC_SERVER_DATABASE_URL";
const CONFIG_VARIABLE = "ATTIC_SERVER_CONFIG_BASE64";

/** The mode that Attic's server is to run in, by which it is known whatever its image is called. */
export function atticMode(container: Container): string | undefined {
  const mode = optionOf(words(container), ["--mode"]);
  return mode !== undefined && MODES.includes(mode) ? mode : undefined;
}

/** Whether the container has to find its tables made: every one but that which makes them. */
export function needsMigrations(container: Container): boolean {
  return ![undefined, "db-migrations"].includes(atticMode(container));
}

/**
 * Attic's server: the real one that `ATTICD` names, or the stand-in, with the command line, environment and configuration
 * of the pod. What is rewritten of them is in docs/sandbox.md.
 */
export const attic: Kind = {
  name: "attic",
  plays: (container) => atticMode(container) !== undefined,
  containerPort: (container) =>
    SERVERS.includes(atticMode(container) ?? "") ? (container.ports?.[0]?.containerPort ?? PORT) : undefined,
  plan,
};

function plan(it: PodContainer, around: Surroundings): Program {
  const mode = atticMode(it.container) ?? "";
  const serves = SERVERS.includes(mode);
  const { [URL_VARIABLE]: url, [CONFIG_VARIABLE]: encoded, ...env } = it.env;
  const args = [...it.command.slice(it.command[0]?.startsWith("-") ? 0 : 1), ...it.args];

  const after: Endpoint[] = [];
  const ports = [around.port, around.front].filter((port) => port !== undefined);
  const local = (text: string) =>
    rewriteServerToml(text, {
      path: (path) => placeOnHost(path, it),
      database: (databaseUrl) => localDatabaseUrl(databaseUrl, it, around, after),
      store: (storage) => {
        const store = around.store(storeRequest(storage, it.env));
        after.push(store);
        return `http://${store.address.host}:${store.address.port}`;
      },
      hosts: serves ? ports.flatMap((port) => [`127.0.0.1:${port}`, `localhost:${port}`]) : [],
    });
  // Attic takes the file where both are given.
  const file = optionOf(args, ["-f", "--config"]);
  const path = join(it.folder, "server.toml");
  const files = file === undefined ? {} : { [path]: local(mountedFile(file, it)) };
  const config = file === undefined && encoded !== undefined ? recoded(encoded, local) : encoded;

  const [command = "", ...first] = around.tools.atticd;
  const rest = without(args, ["-f", "--config", "-l", "--listen"]).map((arg) => rewritePaths(arg, it.mounts));
  return {
    command,
    args: [
      ...first,
      ...(file === undefined ? [] : ["-f", path]),
      ...rest,
      ...(serves ? ["--listen", `127.0.0.1:${around.port}`] : []),
    ],
    env: {
      ...rewriteValues(env, it.mounts),
      ...(url !== undefined && { [URL_VARIABLE]: localDatabaseUrl(url, it, around, after) }),
      ...(config !== undefined && { [CONFIG_VARIABLE]: config }),
    },
    files,
    after,
    once: ONCE.includes(mode),
    refusesRoot: false,
    ...(serves && { port: around.port, answers: () => httpAnswers(around.port, 200) }),
  };
}

function recoded(base64: string, change: (text: string) => string): string {
  return Buffer.from(change(Buffer.from(base64, "base64").toString())).toString("base64");
}

/** The keys are where Attic looks for them: in the file, else in the variables of the AWS SDK. */
function storeRequest(storage: TomlTable, env: PodContainer["env"]): StoreRequest {
  const credentials = (storage.credentials ?? {}) as TomlTable;
  const text = (value: unknown) => (typeof value === "string" ? value : "");
  return {
    ...(typeof storage.endpoint === "string" && { endpoint: storage.endpoint }),
    bucket: text(storage.bucket),
    region: text(storage.region),
    accessKeyId: text(credentials.access_key_id) || (env.AWS_ACCESS_KEY_ID ?? ""),
    secretAccessKey: text(credentials.secret_access_key) || (env.AWS_SECRET_ACCESS_KEY ?? ""),
  };
}

/** The value of an option that is given as `--name value` or `--name=value`. */
function optionOf(args: readonly string[], names: readonly string[]): string | undefined {
  for (const [index, argument] of args.entries()) {
    if (names.includes(argument)) return args[index + 1];
    const name = names.find((each) => argument.startsWith(`${each}=`));
    if (name !== undefined) return argument.slice(name.length + 1);
  }
  return undefined;
}

function without(args: readonly string[], names: readonly string[]): string[] {
  return args.filter(
    (argument, index) =>
      !names.includes(argument) &&
      !names.includes(args[index - 1] ?? "") &&
      !names.some((name) => argument.startsWith(`${name}=`)),
  );
}
