import { parse, stringify, type TomlTable } from "smol-toml";

/** What of server.toml is only true inside of the cluster, and what it is on this machine. */
export interface Rewriting {
  path: (path: string) => string;
  database: (url: string) => string;
  store: (storage: TomlTable) => string;
  /** Names under which the server is asked on this machine. */
  hosts: readonly string[];
}

/**
 * server.toml with the addresses and paths of this machine; all else in it is as it was. A text that is no TOML stays as
 * it is: the server itself will say what is wrong with it.
 */
export function rewriteServerToml(text: string, { path, database, store, hosts }: Rewriting): string {
  const toml = tableOf(text);
  if (toml === undefined) return text;
  const db = asTable(toml.database);
  if (typeof db?.url === "string") db.url = database(db.url);
  const storage = asTable(toml.storage);
  if (storage?.type === "s3") storage.endpoint = store(storage);
  if (storage?.type === "local" && typeof storage.path === "string") storage.path = path(storage.path);
  const allowed = toml["allowed-hosts"];
  // An empty list lets every name through.
  if (Array.isArray(allowed) && allowed.length > 0) toml["allowed-hosts"] = [...allowed, ...hosts];
  return stringify(toml);
}

function tableOf(text: string): TomlTable | undefined {
  try {
    return parse(text);
  } catch {
    return undefined;
  }
}

function asTable(value: unknown): TomlTable | undefined {
  return typeof value === "object" && value !== null ? (value as TomlTable) : undefined;
}
