import { z } from "zod";
import { type Answer, Http, type Target } from "./http.ts";
import type { Permission } from "./permissions.ts";
import type { RetentionConfig } from "./retention.ts";

/** A signing keypair: made by the server, or given as `name:base64`. */
export type KeypairConfig = "Generate" | { Keypair: string };

/** What a cache is made with. How long it keeps things can only be set afterwards. */
export interface CreateCache {
  keypair: KeypairConfig;
  is_public: boolean;
  store_dir: string;
  priority: number;
  upstream_cache_key_names: readonly string[];
}

/** What of a cache can be changed; at least one of it. */
export type ConfigureCache = Partial<CreateCache> & { retention_period?: RetentionConfig };

/** A cache as the server describes it (attic/src/api/v1/cache_config.rs at b7c9056). */
export interface CacheConfig {
  substituter_endpoint: string;
  api_endpoint: string;
  public_key: string;
  is_public: boolean;
  store_dir: string;
  priority: number;
  upstream_cache_key_names: string[];
  retention_period: RetentionConfig;
}

const cacheConfig = z.object({
  substituter_endpoint: z.string(),
  api_endpoint: z.string(),
  public_key: z.string().regex(/^[^:\s]+:[A-Za-z0-9+/]{43}=$/),
  is_public: z.boolean(),
  store_dir: z.string(),
  priority: z.int(),
  upstream_cache_key_names: z.array(z.string()),
  retention_period: z.union([z.literal("Global"), z.object({ Period: z.int().nonnegative() })]),
});

/** In characters. */
const LONGEST_MESSAGE = 300;

const refusal = z.object({ error: z.string(), message: z.string() });

/** What the server said no to, in words for whoever declared the cache. */
export class Refused extends Error {
  override readonly name = "Refused";
  /** Attic's own name for it, such as `CacheAlreadyExists`, or the HTTP status where it gave none. */
  readonly kind: string;

  constructor(kind: string, message: string) {
    super(message);
    this.kind = kind;
  }
}

/** Attic's configuration API, over connections that are kept. */
export class AtticClient {
  readonly #http: Http;

  constructor(target: Target) {
    this.#http = new Http(target, isOthers);
  }

  /** @returns the cache, or undefined where there is none. */
  async get(cache: string): Promise<CacheConfig | undefined> {
    const call = `reading the cache ${cache}`;
    const answer = await this.#send("GET", cache);
    if (answer.status === 404 && kindOf(answer) === "NoSuchCache") return undefined;
    const body = parsed(expectOk(answer, call, "pull"));
    const { success, data } = cacheConfig.safeParse(body);
    if (!success)
      throw new Refused("Nonsense", `${call}: the answer is not a cache; is it Attic that answers there?`);
    return data;
  }

  /**
   * @returns true, or false where there is one of this name already: it may be what a try made whose answer was
   *   lost, or a run that was killed.
   */
  async create(cache: string, config: CreateCache): Promise<boolean> {
    const answer = await this.#send("POST", cache, config);
    if (kindOf(answer) === "CacheAlreadyExists") return false;
    expectDone(answer, `creating the cache ${cache}`, "createCache");
    return true;
  }

  /** Changes what is given, which must not be nothing. */
  async configure(cache: string, config: ConfigureCache): Promise<void> {
    const answer = await this.#send("PATCH", cache, config);
    // Who may set the retention and nothing else of a cache may not set the retention either.
    const more = config.retention_period === undefined ? [] : (["configureRetention"] as const);
    expectDone(answer, `configuring the cache ${cache}`, "configureCache", ...more);
  }

  /** Deletes a cache; one that is gone already is as good. */
  async destroy(cache: string): Promise<void> {
    const answer = await this.#send("DELETE", cache);
    if (answer.status === 404 && kindOf(answer) === "NoSuchCache") return;
    expectDone(answer, `deleting the cache ${cache}`, "destroyCache");
  }

  close(): void {
    this.#http.close();
  }

  async #send(method: string, cache: string, body?: unknown): Promise<Answer> {
    return await this.#http.send(method, `_api/v1/cache-config/${encodeURIComponent(cache)}`, body);
  }
}

function parsed({ text }: Answer): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function kindOf(answer: Answer): string | undefined {
  return refusal.safeParse(parsed(answer)).data?.error;
}

/** A gateway that has no route to the server yet says that there is nothing, or that it is broken. */
function isOthers(answer: Answer): boolean {
  return (answer.status === 404 || answer.status >= 500) && kindOf(answer) === undefined;
}

/** @throws Refused with the call, what the server said, and the permission that is missing where one is. */
function expectOk(answer: Answer, call: string, ...needed: Permission[]): Answer {
  if (answer.status >= 200 && answer.status < 300) return answer;
  const said = refusal.safeParse(parsed(answer)).data;
  const words = said
    ? `${answer.status} ${shortened(said.error)}: ${shortened(said.message)}`
    : `${answer.status}, and nothing that Attic would say`;
  const why =
    answer.status === 401
      ? ` The token is not valid for this server (signed by another key, ended, not begun, or with another issuer or audience), or grants nothing on this cache; ${needed.join(" and ")} ${needed.length > 1 ? "are" : "is"} needed.`
      : answer.status === 403
        ? ` The token lacks the permission ${needed.join(" or ")} on this cache${needed.length > 1 ? "; both are needed" : ""}.`
        : "";
  throw new Refused(said?.error ?? String(answer.status), `${call}: the server answered ${words}.${why}`);
}

/**
 * Attic says nothing of what is done. Other servers answer anything at all with a page.
 *
 * @throws Refused
 */
function expectDone(answer: Answer, call: string, ...needed: Permission[]): void {
  const { text } = expectOk(answer, call, ...needed);
  if (text.trim() !== "" && parsed(answer) === undefined)
    throw new Refused("Nonsense", `${call}: the answer is not Attic's; is it Attic that answers there?`);
}

/** A token, and the two halves of a key: whoever answers may say again what it was sent. */
const SECRETS = /eyJ[\w-]*\.[\w-]*\.[\w-]*|[A-Za-z0-9+/]{86}==/g;

/** A server's words in one line, and no more of them than a person reads. */
function shortened(text: string): string {
  const line = text
    .replace(SECRETS, "[secret]")
    .replace(/[\s\p{Cc}]+/gu, " ")
    .trim()
    .replace(/\.+$/, "");
  return line.length > LONGEST_MESSAGE ? `${line.slice(0, LONGEST_MESSAGE)}…` : line;
}
