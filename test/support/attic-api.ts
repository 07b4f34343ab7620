import { adminToken } from "../../components/attic/admin-token.ts";
import type { CacheConfig } from "../../components/attic/client.ts";
import type { TestAttic } from "./attic-server.ts";
import { query } from "./postgres.ts";

export interface Reply {
  status: number;
  text: string;
}

/** A test's own way to a server, behind the provider's back. */
export class AtticApi {
  readonly #attic: Pick<TestAttic, "url" | "key" | "databaseUrl">;

  constructor(attic: Pick<TestAttic, "url" | "key" | "databaseUrl">) {
    this.#attic = attic;
  }

  /** The names of the caches that there are, from the database: the server does not tell. */
  async names(): Promise<string[]> {
    const sql = "SELECT name FROM cache WHERE deleted_at IS NULL";
    const rows = await query<{ name: string }>(this.#attic.databaseUrl, sql);
    return rows.map(({ name }) => name).sort();
  }

  /** The public keys of all caches, by their names. */
  async publicKeys(): Promise<Record<string, string>> {
    const names = await this.names();
    const keys = names.map(async (name) => [name, (await this.config(name)).public_key] as const);
    return Object.fromEntries(await Promise.all(keys));
  }

  async config(name: string): Promise<CacheConfig> {
    return JSON.parse(await this.#done("GET", name)) as CacheConfig;
  }

  async create(name: string, more: Readonly<Record<string, unknown>> = {}): Promise<void> {
    const body = {
      keypair: "Generate",
      is_public: false,
      store_dir: "/nix/store",
      priority: 41,
      upstream_cache_key_names: ["cache.nixos.org-1"],
      ...more,
    };
    await this.#done("POST", name, body);
  }

  async configure(name: string, changes: Readonly<Record<string, unknown>>): Promise<void> {
    await this.#done("PATCH", name, changes);
  }

  async destroy(...names: readonly string[]): Promise<void> {
    for (const name of names) await this.#done("DELETE", name);
  }

  /** @param token the administrator's unless given. @param body sent as JSON unless it is bytes. */
  async call(
    method: string,
    path: string,
    { token, body, headers = {} }: { token?: string; body?: unknown; headers?: Record<string, string> } = {},
  ): Promise<Reply> {
    const bearer = token ?? (await adminToken(this.#attic.key, {})());
    const isBytes = Buffer.isBuffer(body);
    const response = await fetch(new URL(path, this.#attic.url), {
      method,
      redirect: "manual",
      headers: {
        authorization: `Bearer ${bearer}`,
        ...(body !== undefined && !isBytes && { "content-type": "application/json" }),
        ...headers,
      },
      ...(body !== undefined && { body: isBytes ? new Uint8Array(body) : JSON.stringify(body) }),
    });
    return { status: response.status, text: await response.text() };
  }

  async #done(method: string, name: string, body?: unknown): Promise<string> {
    const { status, text } = await this.call(method, `_api/v1/cache-config/${name}`, { body });
    if (status !== 200) throw new Error(`${method} ${name}: ${status} ${text}`);
    return text;
  }
}
