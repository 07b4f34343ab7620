import { generateKeyPairSync, randomBytes } from "node:crypto";
import { mkdtempSync, writeFileSync } from "node:fs";
import { rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { stringify, type TomlTable } from "smol-toml";
import type { TokenKey } from "../../components/attic/token.ts";
import { ROOT } from "../../sandbox/paths.ts";
import { anyFreePort } from "../../sandbox/support/port.ts";
import { Background } from "./background.ts";
import { type Result, run } from "./command.ts";
import { Postgres } from "./postgres.ts";
import type { S3Server } from "./s3-server.ts";

/** Attic's variables for the key that signs tokens. */
export const KEY_VARIABLES = {
  RS256: "ATTIC_SERVER_TOKEN_RS256_SECRET_BASE64",
  HS256: "ATTIC_SERVER_TOKEN_HS256_SECRET_BASE64",
} as const;

const STAND_IN = join(ROOT, "sandbox/attic/main.ts");

export interface AtticOptions {
  algorithm?: TokenKey["algorithm"];
  /** A folder of its own unless a server is given. */
  storage?: "local" | S3Server;
  /** One that others use too; unless given, one of its own, which takes a second to make. */
  postgres?: Postgres;
  /** Its database's address, where it is not to have an empty one of its own. */
  databaseUrl?: string;
  /** Path of a real server; by default the variable ATTICD, and without that the stand-in. */
  program?: string;
  mode?: "monolithic" | "api-server";
  /** Put into server.toml as it stands, in place of what stands there otherwise. */
  toml?: TomlTable;
}

/** A server of Attic's, real or stood in for, in a temporary folder with a database of its own. */
export class TestAttic {
  /** With its slash at the end. */
  readonly url: string;
  readonly key: TokenKey;
  /** Secret. */
  readonly databaseUrl: string;
  /** Where a local store keeps its files. */
  readonly store: string;
  readonly #program: string | undefined;
  readonly #config: string;
  readonly #mode: string;
  readonly #env: Readonly<Record<string, string>>;
  readonly #close: () => Promise<void>;
  #running: Background | undefined;

  private constructor(
    options: AtticOptions,
    place: { folder: string; url: string; key: TokenKey; databaseUrl: string },
    close: () => Promise<void>,
  ) {
    this.url = place.url;
    this.key = place.key;
    this.databaseUrl = place.databaseUrl;
    this.store = join(place.folder, "store");
    this.#program = options.program ?? process.env.ATTICD;
    this.#mode = options.mode ?? "monolithic";
    this.#config = join(place.folder, "server.toml");
    this.#env = environment(place.key, place.databaseUrl, options.storage);
    this.#close = close;
    writeFileSync(this.#config, stringify(serverToml(place.url, this.store, options)));
  }

  static async start(options: AtticOptions = {}): Promise<TestAttic> {
    const own = options.postgres === undefined ? await Postgres.start() : undefined;
    const folder = mkdtempSync(join(tmpdir(), "attic-stack-attic-"));
    const close = async () => {
      await own?.stop();
      await rm(folder, { recursive: true, force: true });
    };
    try {
      const key = makeKey(options.algorithm ?? "RS256");
      const url = `http://127.0.0.1:${await anyFreePort()}/`;
      const databaseUrl = options.databaseUrl ?? (await (options.postgres ?? own)?.createDatabase()) ?? "";
      const attic = new TestAttic(options, { folder, url, key, databaseUrl }, close);
      await attic.resume();
      return attic;
    } catch (error) {
      await close();
      throw error;
    }
  }

  /** What the server has said since it was started last. */
  get log(): string {
    return this.#running?.log ?? "";
  }

  get pid(): number {
    return this.#running?.pid ?? 0;
  }

  /**
   * Starts it again, at the same address and with what it had.
   *
   * @param program another one that is to go on in its place; "" is the stand-in.
   */
  async resume(program = this.#program): Promise<void> {
    const [command, ...args] = this.#line(this.#mode, program);
    // Any answer will do: a server may be told to refuse this very host.
    const ready = () => fetch(this.url);
    this.#running = await Background.start({ command, args, env: this.#env, ready });
  }

  /** Runs it beside itself in a mode that ends, with the same configuration. */
  async once(mode: "garbage-collector-once" | "db-migrations" | "check-config"): Promise<Result> {
    const [command, ...args] = this.#line(mode, this.#program);
    return await run(command, args, { env: this.#env });
  }

  #line(mode: string, program: string | undefined): [string, ...string[]] {
    const isReal = program !== undefined && program !== "";
    const start = isReal ? ([program] as const) : ([process.execPath, STAND_IN] as const);
    return [...start, "-f", this.#config, "--mode", mode];
  }

  /** Ends the process, and leaves everything else as it is. @returns its exit code. */
  async interrupt(signal: NodeJS.Signals = "SIGTERM"): Promise<number | null> {
    return (await this.#running?.stop(signal)) ?? null;
  }

  async stop(): Promise<void> {
    await this.interrupt();
    await this.#close();
  }
}

/** Starts PostgreSQL, where none is given, and a server of Attic's with it. */
export async function startAttic(options: AtticOptions = {}): Promise<TestAttic> {
  return await TestAttic.start(options);
}

function serverToml(url: string, store: string, { storage = "local", toml = {} }: AtticOptions): TomlTable {
  return {
    listen: new URL(url).host,
    "api-endpoint": url,
    database: {},
    storage:
      storage === "local"
        ? { type: "local", path: store }
        : { type: "s3", bucket: storage.bucket, region: storage.region, endpoint: storage.endpoint },
    chunking: {
      "nar-size-threshold": 65_536,
      "min-size": 16_384,
      "avg-size": 65_536,
      "max-size": 262_144,
    },
    ...toml,
  };
}

function environment(
  key: TokenKey,
  databaseUrl: string,
  storage: AtticOptions["storage"] = "local",
): Record<string, string> {
  return {
    ATTIC_SERVER_DATABASE_URL: databaseUrl,
    [KEY_VARIABLES[key.algorithm]]: key.secret,
    ...(storage !== "local" && {
      AWS_ACCESS_KEY_ID: storage.accessKeyId,
      AWS_SECRET_ACCESS_KEY: storage.secretAccessKey,
    }),
  };
}

/** A fresh key in the form of Attic's own variables. */
export function makeKey(algorithm: TokenKey["algorithm"]): TokenKey {
  if (algorithm === "HS256") return { algorithm, secret: randomBytes(64).toString("base64") };
  const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  const pem = privateKey.export({ type: "pkcs1", format: "pem" }).toString();
  return { algorithm, secret: Buffer.from(pem).toString("base64") };
}
