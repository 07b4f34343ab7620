import type { IncomingMessage } from "node:http";
import type { Service } from "./service.ts";
import { Failure, Nonsense, Transient } from "./trouble.ts";

/** What the mirror has to know of a cache. */
export interface AtticCache {
  /** As it stands in nix.conf. */
  publicKey: string;
  storeDir: string;
  priority: number;
}

/** How often a server is asked again that says that it has failed at this very thing. */
const BROKEN = 3;
const MOST_REDIRECTS = 3;

/** Attic's pull side. */
export class Attic {
  readonly #url: string;
  readonly #token: string;
  readonly #service: Service;

  /** @param url with its slash at the end. @param token secret. */
  constructor(url: string, token: string, service: Service) {
    this.#url = url;
    this.#token = token;
    this.#service = service;
  }

  /** @throws Failure, Nonsense */
  async cache(name: string): Promise<AtticCache> {
    const path = `_api/v1/cache-config/${encodeURIComponent(name)}`;
    const text = await this.#text(path);
    if (text === undefined) throw new Failure(`Attic has no cache ${name} for this token`);
    const { public_key: publicKey, store_dir: storeDir, priority } = parsed(text);
    const isCache =
      typeof publicKey === "string" &&
      typeof storeDir === "string" &&
      /^\/[\x21-\x7e]+$/.test(storeDir) &&
      Number.isInteger(priority);
    if (!isCache) throw new Nonsense(`what Attic says of the cache ${name} is no cache`);
    return { publicKey, storeDir, priority: Number(priority) };
  }

  /** @returns undefined where there is no such path (any more). */
  async narInfo(cache: string, hash: string): Promise<string | undefined> {
    return await this.#text(`${cache}/${hash}.narinfo`);
  }

  /**
   * Begins to fetch a NAR. One try.
   *
   * @returns undefined where there is none (any more).
   * @throws Transient, Failure, Stopped
   */
  async nar(cache: string, hash: string, abort: AbortSignal): Promise<AsyncGenerator<Buffer> | undefined> {
    const response = await this.#get(`${cache}/nar/${hash}.nar`, abort);
    return response && this.#service.read(response);
  }

  async #text(path: string): Promise<string | undefined> {
    return await this.#service.retrying(`GET ${path} at Attic`, async () => {
      const response = await this.#get(path);
      return response && (await this.#service.text(response));
    });
  }

  /** Follows to where Attic sends on to, without the token, which is nobody else's business. */
  async #get(path: string, abort?: AbortSignal): Promise<IncomingMessage | undefined> {
    let url = new URL(path, this.#url);
    let headers: Record<string, string> = { authorization: `Bearer ${this.#token}` };
    for (let redirects = 0; ; redirects += 1) {
      const response = await this.#service.send({ method: "GET", url, headers, ...(abort && { abort }) });
      const { statusCode: status = 0 } = response;
      if (status === 200) return response;
      const { location } = response.headers;
      if (status < 300 || status > 399 || location === undefined) return await this.#refused(response);
      response.resume();
      if (redirects === MOST_REDIRECTS || !URL.canParse(location, url.href))
        throw new Failure("it sends on to nowhere");
      url = new URL(location, url);
      if (!/^https?:$/.test(url.protocol)) throw new Failure("it sends on to no address of the web");
      headers = {};
    }
  }

  /** @returns where there is no such thing. @throws Transient, Failure */
  async #refused(response: IncomingMessage): Promise<IncomingMessage | undefined> {
    const { statusCode: status = 0 } = response;
    const { error, message } = parsed(await this.#service.text(response));
    const kind = typeof error === "string" && typeof message === "string" ? error.slice(0, 60) : "";
    const words = `it answered ${status}${kind === "" ? "" : ` ${kind}`}`;
    if (status === 404 && kind.startsWith("NoSuch")) return undefined;
    if (status === 401 || status === 403)
      throw new Failure(
        `${words}: the token is not valid for this server, or does not allow to pull from this cache`,
      );
    if (kind === "IncompleteNar")
      throw new Failure(`${words}: Attic has lost a part of this NAR; push it again`);
    if (status === 429 || status === 502 || status === 503 || status === 504) throw new Transient(words);
    if (status >= 500 || status === 408 || status === 404) throw new Transient(words, BROKEN);
    throw new Failure(words);
  }
}

function parsed(text: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}
