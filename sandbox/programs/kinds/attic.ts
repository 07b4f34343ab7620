import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { V1Container } from "@kubernetes/client-node";
import { parse, stringify, type TomlTable } from "smol-toml";
import { httpAnswers } from "../answers.ts";
import { Fault } from "../objects.ts";
import type { Endpoint, Kind, PodContainer, Program, StoreRequest, Surroundings } from "../program.ts";
import { hostPath, rewritePaths, rewriteValues, withAddress } from "../rewrite.ts";

const PORT = 8080;
const SERVERS = ["api-server", "monolithic"];
const ONCE = ["db-migrations", "garbage-collector-once"];
const MODES = [...SERVERS, ...ONCE, "garbage-collector"];

/** The mode that Attic's server is to run in, by which it is known whatever its image is called. */
export function atticMode({ command = [], args = [] }: V1Container): string | undefined {
  const mode = optionOf([...command, ...args], ["--mode"]);
  return mode !== undefined && MODES.includes(mode) ? mode : undefined;
}

/**
 * Attic's server: the real one that `ATTICD` names, or the stand-in, with the command line, environment and
 * configuration of the pod. What is rewritten of it is in docs/sandbox.md.
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
  const { [URL_VARIABLE]: url, [CONFIG_VARIABLE]: encoded, ...env } = it.env;
  const args = [...it.command.filter((part, index) => index > 0 || part.startsWith("-")), ...it.args];
  const file = optionOf(args, ["-f", "--config"]);
  const text = file === undefined ? decoded(encoded) : contentOf(file, it);
  const toml = tableOf(text);

  const after: Endpoint[] = [];
  const found = (endpoint: Endpoint) => {
    after.push(endpoint);
    return endpoint.address;
  };
  const moved = (databaseUrl: string) =>
    // The server's certificate is for localhost too, so that a full check of it goes on working.
    withAddress(databaseUrl, { ...found(around.database(databaseUrl)), host: "localhost" });
  const ports = [around.port, around.front].filter((port) => port !== undefined);
  const config =
    toml &&
    rewritten(toml, {
      path: (path) => hostPath(path, it.mounts, join(it.folder, "root")),
      database: moved,
      store: (table) => withAddress("http://store", found(around.store(storeRequest(table, it.env)))),
      hosts: SERVERS.includes(mode)
        ? ports.flatMap((port) => [`127.0.0.1:${port}`, `localhost:${port}`])
        : [],
    });
  const path = join(it.folder, "server.toml");
  const rest = without(args, ["-f", "--config", "-l", "--listen"]);
  const [command = "", ...first] = around.tools.atticd;
  return {
    command,
    args: [
      ...first,
      ...(file === undefined ? [] : ["-f", path]),
      ...rest,
      ...(SERVERS.includes(mode) ? ["--listen", `127.0.0.1:${around.port}`] : []),
    ],
    env: {
      ...rewriteValues(env, it.mounts),
      ...(url !== undefined && { [URL_VARIABLE]: rewritePaths(moved(url), it.mounts) }),
      ...(encoded !== undefined && {
        [CONFIG_VARIABLE]:
          file === undefined && config !== undefined ? Buffer.from(config).toString("base64") : encoded,
      }),
    },
    files: file === undefined ? {} : { [path]: config ?? text ?? "" },
    folders: [],
    after,
    once: ONCE.includes(mode),
    refusesRoot: false,
    ...(SERVERS.includes(mode) && { port: around.port, answers: () => httpAnswers(around.port, 200) }),
  };
}

const URL_VARIABLE = "ATTIC_SERVER_DATABASE_URL";
const CONFIG_VARIABLE = "ATTIC_SERVER_CONFIG_BASE64";

/** What of server.toml is only true inside of the cluster, and what it is on this machine. */
export interface Rewriting {
  path: (path: string) => string;
  database: (url: string) => string;
  store: (storage: TomlTable) => string;
  /** Names under which the server is asked on this machine. */
  hosts: readonly string[];
}

/** server.toml with addresses and paths of this machine; all else in it is as it was. */
export function rewritten(config: TomlTable, { path, database, store, hosts }: Rewriting): string {
  const toml = structuredClone(config);
  const db = toml.database as TomlTable | undefined;
  if (typeof db?.url === "string") db.url = database(db.url);
  const storage = toml.storage as TomlTable | undefined;
  if (storage?.type === "s3") storage.endpoint = store(storage);
  if (storage?.type === "local" && typeof storage.path === "string") storage.path = path(storage.path);
  const allowed = toml["allowed-hosts"];
  // An empty list lets every name through.
  if (Array.isArray(allowed) && allowed.length > 0) toml["allowed-hosts"] = [...allowed, ...hosts];
  return stringify(toml);
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

/** The table in the text; undefined where there is none or it is no TOML, which the server itself will say. */
function tableOf(text: string | undefined): TomlTable | undefined {
  try {
    return text === undefined ? undefined : parse(text);
  } catch {
    return undefined;
  }
}

function decoded(base64: string | undefined): string | undefined {
  return base64 === undefined ? undefined : Buffer.from(base64, "base64").toString();
}

/** What a file of a container holds: of its volumes, as they were read from the cluster. */
function contentOf(path: string, { mounts, volumes, folder }: PodContainer): string {
  const target = hostPath(path, mounts, folder);
  for (const volume of volumes) {
    const file = volume.files?.find((each) => join(volume.folder, each.path) === target);
    if (file) return file.content.toString();
  }
  if (!mounts.some((mount) => target.startsWith(mount.target)))
    throw new Fault(`no volume has the file ${path}`);
  try {
    return readFileSync(target, "utf8");
  } catch {
    throw new Fault(`no volume has the file ${path}`);
  }
}

/** The value of an option that is given as `--name value` or `--name=value`. */
function optionOf(args: readonly string[], names: readonly string[]): string | undefined {
  for (const [index, argument] of args.entries()) {
    if (names.includes(argument)) return args[index + 1];
    const name = names.find((each) => each.startsWith("--") && argument.startsWith(`${each}=`));
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
