import { mkdtempSync, writeFileSync } from "node:fs";
import { rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Status, STATUS_KEY } from "../../components/edge/layout.ts";
import { adminToken } from "../../components/attic/admin-token.ts";
import { bundleJob } from "../../jobs/bundle.ts";
import { type Path, makePath } from "../contract/support/nar.ts";
import { AtticApi } from "./attic-api.ts";
import { type AtticOptions, startAttic, type TestAttic } from "./attic-server.ts";
import { Command } from "./command.ts";
import { EdgeBucket } from "./edge-bucket.ts";
import { Postgres, query } from "./postgres.ts";
import { S3Server } from "./s3-server.ts";

/** A line of the mirror's log. */
export type LogLine = Readonly<Record<string, unknown>> & { level: string; message: string };

export interface MirrorResult {
  code: number | null;
  lines: LogLine[];
  /** All that it printed, on both streams. */
  printed: string;
}

export interface MirrorRun {
  /** What is put in place of its usual environment. */
  env?: Readonly<Record<string, string | undefined>>;
  /** What is put in place of its usual configuration. */
  config?: Readonly<Record<string, unknown>>;
  args?: readonly string[];
}

/** A server of Attic's, an S3 server with a bucket for the edge, and the mirror's bundle between them. */
export class MirrorWorld {
  readonly attic: TestAttic;
  readonly api: AtticApi;
  readonly bucket: EdgeBucket;
  /** Environment that the mirror is run with. */
  readonly env: Readonly<Record<string, string>>;
  readonly postgres: Postgres;
  readonly #s3: S3Server;
  readonly #folder: string;
  #runs = 0;

  private constructor(parts: {
    attic: TestAttic;
    bucket: EdgeBucket;
    postgres: Postgres;
    s3: S3Server;
    folder: string;
    token: string;
  }) {
    const { attic, bucket, postgres, s3, folder, token } = parts;
    this.attic = attic;
    this.api = new AtticApi(attic);
    this.bucket = bucket;
    this.postgres = postgres;
    this.#s3 = s3;
    this.#folder = folder;
    this.env = {
      DATABASE_URL: attic.databaseUrl,
      ATTIC_URL: attic.url,
      ATTIC_TOKEN: token,
      S3_ENDPOINT: s3.endpoint,
      S3_REGION: s3.region,
      S3_BUCKET: bucket.name,
      AWS_ACCESS_KEY_ID: s3.accessKeyId,
      AWS_SECRET_ACCESS_KEY: s3.secretAccessKey,
    };
  }

  /** @param options.onS3 whether Attic keeps its chunks in S3, and sends on to it. */
  static async start({
    onS3 = false,
    ...options
  }: AtticOptions & { onS3?: boolean } = {}): Promise<MirrorWorld> {
    const s3 = await S3Server.start();
    const postgres = await Postgres.start();
    const bucket = await EdgeBucket.make(s3, "edge");
    const attic = await startAttic({ postgres, ...(onS3 && { storage: s3 }), ...options });
    const folder = mkdtempSync(join(tmpdir(), "attic-stack-mirror-"));
    writeFileSync(join(folder, "mirror.cjs"), await bundleJob("mirror"));
    const token = await adminToken(attic.key, {})();
    return new MirrorWorld({ attic, bucket, postgres, s3, folder, token });
  }

  /** Makes a bucket of its own, with nothing in it. */
  async emptyBucket(name: string): Promise<EdgeBucket> {
    return await EdgeBucket.make(this.#s3, name);
  }

  async push(...paths: readonly Pick<Path, "info" | "nar">[]): Promise<void> {
    for (const { info, nar } of paths) {
      const headers = { "x-attic-nar-info": JSON.stringify(info) };
      const { status, text } = await this.api.call("PUT", "_api/v1/upload-path", { body: nar, headers });
      if (status !== 200) throw new Error(`push: ${status} ${text}`);
    }
  }

  /** Pushes so many paths that no store has. */
  async pushSome(cache: string, count: number, size: number): Promise<Path[]> {
    const paths = Array.from({ length: count }, () => makePath(cache, size));
    await this.push(...paths);
    return paths;
  }

  /** Asks Attic's database. */
  async sql<Row extends Record<string, unknown>>(sql: string, values?: readonly unknown[]): Promise<Row[]> {
    return await query<Row>(this.attic.databaseUrl, sql, values);
  }

  /** Takes a path from the server as its collector does. */
  async forget(...paths: readonly Path[]): Promise<void> {
    await this.sql("DELETE FROM object WHERE store_path_hash = ANY ($1)", [paths.map(({ hash }) => hash)]);
  }

  /** Begins a run. */
  begin({ env = {}, config = {}, args = [] }: MirrorRun = {}): Command {
    this.#runs += 1;
    const file = join(this.#folder, `config-${this.#runs}.json`);
    const usual = { caches: ["main"], silenceSeconds: 3, retrySeconds: 5 };
    writeFileSync(file, JSON.stringify({ ...usual, ...config }));
    const own = { ...this.env, MIRROR_CONFIG: file, ...env };
    const path = process.env.PATH ?? "";
    const { MIRROR_NODE_OPTIONS: options } = process.env;
    return new Command(
      process.execPath,
      [...(options?.split(" ") ?? []), join(this.#folder, "mirror.cjs"), ...args],
      {
        cwd: this.#folder,
        env: {
          ...Object.fromEntries(Object.keys(process.env).map((name) => [name, undefined])),
          PATH: path,
          ...own,
        },
      },
    );
  }

  async run(options?: MirrorRun): Promise<MirrorResult> {
    const { code, stdout, stderr } = await this.begin(options).result;
    return { code, lines: linesOf(stdout), printed: stdout + stderr };
  }

  /** What the mirror says of itself. */
  async status(): Promise<Status> {
    return JSON.parse((await this.bucket.get(STATUS_KEY)).toString()) as Status;
  }

  /** The hashes of the paths that the server has in a cache. */
  async served(cache = "main"): Promise<string[]> {
    const sql = `SELECT store_path_hash AS hash FROM object JOIN cache ON cache.id = cache_id
      JOIN nar ON nar.id = nar_id WHERE cache.name = $1 AND deleted_at IS NULL AND state = 'V'`;
    return (await this.sql<{ hash: string }>(sql, [cache])).map(({ hash }) => hash).sort();
  }

  async stop(): Promise<void> {
    await this.attic.stop();
    await this.postgres.stop();
    await this.#s3.stop();
    await rm(this.#folder, { recursive: true, force: true });
  }
}

function linesOf(text: string): LogLine[] {
  return text
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as LogLine);
}
