import { createHash } from "node:crypto";
import pg from "pg";
import { STORE_PATH_HASH } from "../../../components/edge/layout.ts";
import { narHashOf } from "../nar/base32.ts";
import { Failure, Nonsense, Transient, wordsOf } from "../trouble.ts";

/** A store path as the server has it. */
export interface Row {
  cache: string;
  /** The hash in the store path. */
  hash: string;
  /** SHA-256 of the NAR in base 32. */
  narHash: string;
  narSize: number;
  /** In seconds since 1970. */
  createdAt: number;
  /** Is another one where anything of it changes that its narinfo shows. */
  stamp: string;
}

export interface DatabaseTarget {
  /** Secret. */
  url: string;
  /** Certificates in PEM form that sign the server's. */
  ca?: string;
}

/** How many rows come at once. */
const BATCH = 1_000;

/**
 * What there is to pull. Sorted here, in the order of bytes, whatever the database's own order is.
 *
 * Of the columns it needs no more than {@link READ_COLUMNS} of `roles.ts` lets it read.
 */
const ROWS = `
  SELECT cache.name, object.store_path_hash, nar.nar_hash, nar.nar_size::text,
    extract(epoch FROM object.created_at)::bigint::text,
    left(encode(sha256(convert_to(concat_ws(E'\\n', object.store_path, nar.nar_hash, nar.nar_size,
      object."references", coalesce(object.deriver, ''), object.sigs, coalesce(object.ca, '')), 'UTF8')), 'hex'), 24)
  FROM object JOIN cache ON cache.id = object.cache_id JOIN nar ON nar.id = object.nar_id
  WHERE cache.name = ANY ($1) AND cache.deleted_at IS NULL AND nar.state = 'V'
  ORDER BY cache.name COLLATE "C", object.store_path_hash COLLATE "C"`;

type Cells = readonly [string, string, string, string, string, string];

/** Attic's tables, over one connection. */
export class Database {
  readonly #client: pg.Client;
  /** What was left out of {@link rows} and why, one of each cache. */
  readonly strange = new Map<string, Nonsense>();

  private constructor(client: pg.Client) {
    this.#client = client;
  }

  /**
   * @param silence how long a statement may take, in milliseconds.
   * @param lost is told when the connection breaks.
   * @throws Transient, Failure, neither of which shows the URL.
   */
  static async connect(
    target: DatabaseTarget,
    silence: number,
    lost: () => void = () => undefined,
  ): Promise<Database> {
    const client = new pg.Client({
      ...clientOptions(target),
      application_name: "mirror",
      connectionTimeoutMillis: silence,
      query_timeout: 4 * silence,
      keepAlive: true,
    });
    client.on("error", lost);
    try {
      await client.connect();
    } catch (error) {
      await client.end().catch(() => undefined);
      throw databaseError(error);
    }
    return new Database(client);
  }

  /**
   * @returns false where another connection holds the lock of that name. It ends with the connection, which the server
   *   finds dead within a minute where the machine at this end is gone.
   */
  async lock(name: string): Promise<boolean> {
    await this.#ask(
      "SET tcp_keepalives_idle = 30; SET tcp_keepalives_interval = 10; SET tcp_keepalives_count = 3",
    );
    const number = createHash("sha256").update(name).digest().readBigInt64LE().toString();
    const { rows } = await this.#ask("SELECT pg_try_advisory_lock($1) AS locked", [number]);
    return (rows as { locked: boolean }[])[0]?.locked === true;
  }

  /** Which of these caches there are. */
  async caches(names: readonly string[]): Promise<ReadonlySet<string>> {
    const sql = "SELECT name FROM cache WHERE name = ANY ($1) AND deleted_at IS NULL";
    const { rows } = await this.#ask(sql, [names]);
    return new Set((rows as { name: string }[]).map(({ name }) => name));
  }

  /** All that there is to pull, as it is at one moment, in the order of the index. */
  async *rows(caches: readonly string[]): AsyncGenerator<Row[], undefined> {
    await this.#ask("BEGIN TRANSACTION READ ONLY ISOLATION LEVEL REPEATABLE READ");
    await this.#ask(`DECLARE path NO SCROLL CURSOR FOR ${ROWS}`, [caches]);
    for (;;) {
      const { rows } = await this.#ask({ text: `FETCH ${BATCH} FROM path`, rowMode: "array" });
      if (rows.length === 0) break;
      yield rows.flatMap((cells) => this.#row(cells as Cells) ?? []);
    }
    await this.#ask("ROLLBACK");
  }

  /** Runs what changes something. @returns how many rows it changed. */
  async change(sql: string, values: readonly unknown[] = []): Promise<number> {
    return (await this.#ask(sql, values)).rowCount ?? 0;
  }

  async close(): Promise<void> {
    // One that hangs is not waited for.
    const patience = new Promise((resolve) => setTimeout(resolve, 1000).unref());
    await Promise.race([this.#client.end().catch(() => undefined), patience]);
  }

  #row([cache, hash, narHash, narSize, createdAt, stamp]: Cells): Row | undefined {
    const digest = narHashOf(narHash);
    const size = Number(narSize);
    if (STORE_PATH_HASH.test(hash) && digest !== undefined && Number.isSafeInteger(size) && size >= 0)
      return { cache, hash, narHash: digest, narSize: size, createdAt: Number(createdAt), stamp };
    this.strange.set(cache, new Nonsense(`its hash or its size is none: ${hash}`));
    return undefined;
  }

  async #ask(
    query: string | { text: string; rowMode: "array" },
    values: readonly unknown[] = [],
  ): Promise<{ rows: unknown[]; rowCount: number | null }> {
    const asked = typeof query === "string" ? { text: query } : query;
    try {
      return await this.#client.query({ ...asked, ...(values.length > 0 && { values: [...values] }) });
    } catch (error) {
      throw databaseError(error);
    }
  }
}

/** The URL as Attic takes it means something else to Node's driver: `require` checks no certificate. */
function clientOptions({ url, ca }: DatabaseTarget): pg.ClientConfig {
  const parsed = new URL(url);
  const mode = parsed.searchParams.get("sslmode") ?? "prefer";
  const host = decodeURIComponent(parsed.hostname).replace(/^\[|\]$/g, "");
  const isChecked = mode === "verify-full" || mode === "verify-ca" || ca !== undefined;
  const servername = /^[\d.]+$|:/.test(host) ? "" : host;
  return {
    host,
    port: Number(parsed.port || 5432),
    user: decodeURIComponent(parsed.username),
    password: decodeURIComponent(parsed.password),
    database: decodeURIComponent(parsed.pathname.slice(1)),
    ssl:
      mode === "disable" || (mode === "prefer" && ca === undefined)
        ? false
        : { servername, rejectUnauthorized: isChecked, ...(ca !== undefined && { ca }) },
  };
}

/** What PostgreSQL says where it is not ready, is shut down, or has too much to do. */
const PASSING = /^(08|53|57P|40|25P0[34])/;

function databaseError(error: unknown): Error {
  const { code = "" } = error as { code?: string };
  if (error instanceof pg.DatabaseError && !PASSING.test(code))
    return new Failure(`PostgreSQL: ${wordsOf(error)}${HINTS[code] ?? ""}`);
  const words = wordsOf(error);
  return new Transient(`PostgreSQL: ${words === "" ? code : words}`);
}

const HINTS: Readonly<Record<string, string>> = {
  "42P01": "; are these Attic's tables, and have its migrations run?",
  "42501": "; run the mode `roles` of this program once, as the owner of the tables",
};
