import { randomBytes } from "node:crypto";
import type { CacheConfig } from "../../../components/attic/client.ts";
import {
  CLAIM,
  EVERYTHING,
  type Permission,
  type Permissions,
  toClaim,
} from "../../../components/attic/permissions.ts";
import type { TokenKey } from "../../../components/attic/token.ts";
import { Answer } from "./answer.ts";
import { forge } from "./jwt.ts";

/** How long the suite's tokens hold, and how far from now what is over or still to come is, in seconds. */
export const HOUR = 3600;

/** A server that the suite is run against. */
export interface Server {
  /** With its slash at the end. */
  url: string;
  key: TokenKey;
  /** What tokens have to say, where the server is bound to them. */
  issuer?: string;
  audience?: string;
  /** Whether a destroyed cache keeps its name, where that is known. */
  softDeletion?: boolean;
}

export interface CallOptions {
  /** Unless given, the administrator's; null for none. */
  token?: string | null;
  /** Sent as JSON. */
  json?: unknown;
  /** Sent as it stands. */
  body?: Buffer | string;
  headers?: Readonly<Record<string, string>>;
}

/** What the tests of one title have of the server that they are run against. */
export class Contract {
  #server: Server | undefined;
  readonly #prefix = `contract-${randomBytes(4).toString("hex")}`;
  readonly #names = new Set<string>();

  get server(): Server {
    if (this.#server === undefined) throw new Error("The server is known only while tests run.");
    return this.#server;
  }

  get url(): string {
    return this.server.url;
  }

  get key(): TokenKey {
    return this.server.key;
  }

  open(server: Server): void {
    this.#server = server;
  }

  /** Destroys all that was made under names of this. */
  async close(): Promise<void> {
    if (this.#server === undefined) return;
    for (const name of this.#names) await this.call("DELETE", configPath(name));
  }

  /** The name of a cache that nobody else has. */
  name(suffix = ""): string {
    const name = `${this.#prefix}-${this.#names.size}${suffix}`;
    this.#names.add(name);
    return name;
  }

  /** Makes a cache. @returns its name. */
  async cache(fields: Readonly<Record<string, unknown>> = {}, name = this.name()): Promise<string> {
    const { status, text } = await this.call("POST", configPath(name), { json: creation(fields) });
    if (status !== 200) throw new Error(`The cache ${name} could not be made: ${status} ${text}`);
    return name;
  }

  /** A cache as the server describes it. */
  async config(name: string, token?: string | null): Promise<CacheConfig> {
    const answer = await this.call("GET", configPath(name), token === undefined ? {} : { token });
    return answer.json() as CacheConfig;
  }

  /** A token that grants what is named on caches or patterns. */
  token(permissions: Permissions): string {
    return forge(this.key, this.claims(toClaim(permissions).caches));
  }

  /** The same for one cache. */
  tokenFor(cache: string, ...granted: Permission[]): string {
    return this.token({ [cache]: granted });
  }

  /** The claims of a good token, and what is put in their place. */
  claims(caches: unknown, more: Readonly<Record<string, unknown>> = {}): Record<string, unknown> {
    const { issuer, audience } = this.server;
    return {
      sub: "contract",
      exp: now() + HOUR,
      ...(issuer !== undefined && { iss: issuer }),
      ...(audience !== undefined && { aud: audience }),
      [CLAIM]: { caches },
      ...more,
    };
  }

  async call(method: string, path: string, options: CallOptions = {}): Promise<Answer> {
    const { json, token = this.token({ "*": EVERYTHING }) } = options;
    const body = json === undefined ? options.body : JSON.stringify(json);
    const response = await fetch(new URL(path.replace(/^\//, ""), this.url), {
      method,
      redirect: "manual",
      headers: {
        ...(token !== null && { authorization: `Bearer ${token}` }),
        ...(json !== undefined && { "content-type": "application/json" }),
        ...options.headers,
      },
      ...(body !== undefined && { body: typeof body === "string" ? body : new Uint8Array(body) }),
    });
    return new Answer(response.status, response.headers, Buffer.from(await response.arrayBuffer()));
  }
}

/** The body by which a cache is made. */
export function creation(fields: Readonly<Record<string, unknown>> = {}): Record<string, unknown> {
  return {
    keypair: "Generate",
    is_public: false,
    store_dir: "/nix/store",
    priority: 41,
    upstream_cache_key_names: [],
    ...fields,
  };
}

export function configPath(cache: string): string {
  return `/_api/v1/cache-config/${cache}`;
}

/** Seconds since 1970. */
export function now(): number {
  return Math.floor(Date.now() / 1000);
}
