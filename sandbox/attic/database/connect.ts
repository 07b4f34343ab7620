import { readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import pg from "pg";
import { UserError } from "../../support/user-error.ts";

/** Attic's own pool, which cannot be configured there either. */
const CONNECTIONS = 10;
/** How long a request waits for a connection, in milliseconds. */
const PATIENCE = 30_000;
/** How long the question takes whether a server has TLS, and when it is asked again, in milliseconds. */
const RETRY = 1_000;

type Tls = pg.ClientConfig["ssl"];

/**
 * A pool of connections by a URL as sqlx takes it, whose `sslmode` means other things than Node's driver makes
 * of it: `require` checks no certificate, and without any TLS is used where the server has it.
 *
 * @throws UserError that shows nothing of the URL, which holds the password.
 */
export async function connect(url: string): Promise<pg.Pool> {
  const { sslmode, sslrootcert, ...target } = readUrl(url);
  const ssl = tls(sslmode, sslrootcert, target.host);
  const pool = new pg.Pool({ ...target, ssl, max: CONNECTIONS, connectionTimeoutMillis: PATIENCE });
  // A connection that breaks while nobody uses it is replaced; without a listener the process would end.
  pool.on("error", () => undefined);
  if (sslmode === "prefer" && !(await settleTls(pool))) void settleLater(pool);
  return pool;
}

function readUrl(text: string) {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !/^postgres(ql)?:$/.test(url.protocol))
    throw new UserError(
      "The database's URL is not one of PostgreSQL, which is all that this stand-in can use.",
    );
  const query = url.searchParams;
  return {
    host: query.get("host") ?? url.hostname.replace(/^\[|\]$/g, ""),
    port: Number(query.get("port") ?? (url.port || 5432)),
    user: query.get("user") ?? decodeURIComponent(url.username),
    password: query.get("password") ?? decodeURIComponent(url.password),
    database: query.get("dbname") ?? decodeURIComponent(url.pathname.slice(1)),
    sslmode: query.get("sslmode") ?? query.get("ssl-mode") ?? "prefer",
    sslrootcert: query.get("sslrootcert") ?? query.get("ssl-root-cert") ?? query.get("ssl-ca") ?? undefined,
  };
}

function tls(mode: string, rootFile: string | undefined, host: string): Tls {
  switch (mode) {
    case "disable":
    case "allow":
      return false;
    case "prefer":
    case "require":
      return { rejectUnauthorized: false };
    case "verify-full":
      // A name that is an address may not be sent, and is not needed where it is compared.
      return { servername: /^[\d.]+$|:/.test(host) ? "" : host, ...(rootFile && { ca: readRoot(rootFile) }) };
    default:
      throw new UserError(
        `sslmode=${mode} of the database's URL does not work with Attic: use verify-full, require or disable.`,
      );
  }
}

function readRoot(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    const { code = "" } = error as NodeJS.ErrnoException;
    throw new UserError(`The file that sslrootcert of the database's URL names cannot be read: ${code}.`);
  }
}

/** Does without TLS where the server has none. @returns false where the server does not answer. */
async function settleTls(pool: pg.Pool): Promise<boolean> {
  const client = new pg.Client({ ...pool.options, connectionTimeoutMillis: RETRY });
  try {
    await client.connect();
  } catch (error) {
    if ((error as Error).message.includes("does not support SSL")) pool.options.ssl = false;
    // What the server itself refuses has been said over TLS.
    else return error instanceof pg.DatabaseError;
  } finally {
    await client.end().catch(() => undefined);
  }
  return true;
}

async function settleLater(pool: pg.Pool): Promise<void> {
  do await sleep(RETRY, undefined, { ref: false });
  while (!pool.ending && !(await settleTls(pool)));
}
