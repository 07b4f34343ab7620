import { createHash, createHmac, pbkdf2Sync, randomBytes } from "node:crypto";
import pg from "pg";

export interface Role {
  name: string;
  /** Secret. */
  password: string;
}

export interface MirrorRoles {
  /** Reads what there is to mirror. */
  reader: Role;
  /** Moves the time of the last access, where reads at the edge count. */
  toucher?: Role;
}

type Columns = Readonly<Record<string, readonly string[]>>;

/** What the mirror reads; never a cache's `keypair`, which signs. */
export const READ_COLUMNS: Columns = {
  cache: ["id", "name", "deleted_at"],
  object: [
    ...[
      "cache_id",
      "nar_id",
      "store_path_hash",
      "store_path",
      "references",
      "deriver",
      "sigs",
      "ca",
      "created_at",
    ],
  ],
  nar: ["id", "state", "nar_hash", "nar_size"],
};

/** What has to be read to find the paths that have a NAR. */
export const TOUCH_READ_COLUMNS: Columns = {
  cache: ["id", "name", "deleted_at"],
  object: ["cache_id", "nar_id", "last_accessed_at"],
  nar: ["id", "nar_hash"],
};

/**
 * Statements that make the roles, or put them right where they are there: all that they may do is taken from them
 * first. To be run as the owner of Attic's tables, with the right to make roles. Tables that Attic makes later are
 * none of theirs.
 *
 * @param salt 16 bytes for a password, for tests. The server gets no password, only what it checks one by.
 */
export function roleStatements(roles: MirrorRoles, salt: () => Buffer = () => randomBytes(16)): string[] {
  const { reader, toucher } = roles;
  return [
    ...login(reader, salt()),
    `ALTER ROLE ${quoted(reader.name)} SET default_transaction_read_only = on`,
    ...grants(reader, "SELECT", READ_COLUMNS),
    ...(toucher === undefined
      ? []
      : [
          ...login(toucher, salt()),
          ...grants(toucher, "SELECT", TOUCH_READ_COLUMNS),
          ...grants(toucher, "UPDATE", { object: ["last_accessed_at"] }),
        ]),
  ];
}

function login({ name, password }: Role, salt: Buffer): string[] {
  const role = quoted(name);
  return [
    `DO $do$ BEGIN IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = ${literal(name)}) THEN CREATE ROLE ${role}; END IF; END $do$`,
    `ALTER ROLE ${role} LOGIN CONNECTION LIMIT 8 PASSWORD ${literal(verifier(password, salt))}`,
    `REVOKE ALL ON ALL TABLES IN SCHEMA public FROM ${role}`,
    `REVOKE ALL ON ALL SEQUENCES IN SCHEMA public FROM ${role}`,
    `REVOKE ALL ON SCHEMA public FROM ${role}`,
    `GRANT USAGE ON SCHEMA public TO ${role}`,
  ];
}

function grants({ name }: Role, right: "SELECT" | "UPDATE", columns: Columns): string[] {
  return Object.entries(columns).map(
    ([table, names]) =>
      `GRANT ${right} (${names.map(quoted).join(", ")}) ON public.${quoted(table)} TO ${quoted(name)}`,
  );
}

/** How PostgreSQL keeps a password (RFC 5803): whoever reads the server's log cannot use it. */
function verifier(password: string, salt: Buffer): string {
  const iterations = 4096;
  const salted = pbkdf2Sync(password, salt, iterations, 32, "sha256");
  const stored = createHash("sha256").update(hmac(salted, "Client Key")).digest("base64");
  return `SCRAM-SHA-256$${iterations}:${salt.toString("base64")}$${stored}:${hmac(salted, "Server Key").toString("base64")}`;
}

function hmac(key: Buffer, text: string): Buffer {
  return createHmac("sha256", key).update(text).digest();
}

function quoted(name: string): string {
  return pg.escapeIdentifier(name);
}

function literal(text: string): string {
  return pg.escapeLiteral(text);
}
