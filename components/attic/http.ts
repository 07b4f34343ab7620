import { Agent as HttpAgent, type IncomingMessage, request as httpRequest } from "node:http";
import { Agent as HttpsAgent, request as httpsRequest } from "node:https";
import type { Duplex } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
import { type Tunnel, TunnelClosed } from "./tunnel.ts";

/** How many requests may be under way at once, over connections that are kept. */
const CONNECTIONS = 16;
/** How long one try may take, in milliseconds. */
const PATIENCE = 30_000;
/** Waits between tries, in milliseconds: in all about a minute, which a server takes to start. */
const WAITS = [250, 500, 1000, 2000, 4000, 8000, 15_000, 30_000] as const;
/** How long all tries may take in all, in milliseconds: a server that never answers would take minutes of waiting. */
const LONGEST = 90_000;
/** The largest answer that is read: Attic's are a few hundred bytes. */
const LARGEST_ANSWER = 2 ** 20;

/** Where requests go. */
export interface Target {
  /** Such as "https://cache.example.com/". */
  endpoint: string;
  /** Gives the bearer token, asked before each try. Secret. */
  token: () => Promise<string> | string;
  /** The way to it, where the endpoint's own name and certificate are not to be relied on. */
  tunnel?: Tunnel;
  /** Certificates in PEM form that sign the server's, where they are not public ones. */
  ca?: string;
  /** Ends whatever is under way, and whatever waits. */
  signal?: AbortSignal;
  /** Waits between tries in milliseconds, for tests. */
  waits?: readonly number[];
  /** How long one try may take, in milliseconds. */
  patience?: number;
}

export interface Answer {
  status: number;
  text: string;
}

/** A server that could not be asked, or kept saying that it was not ready. */
export class Unreachable extends Error {
  override readonly name = "Unreachable";
}

/** HTTP with connections that are kept, a time limit on each try, and more tries where more may help. */
export class Http {
  readonly #target: Target;
  readonly #isOthers: (answer: Answer) => boolean;
  readonly #agent: HttpAgent;
  /** Scheme and authority that a request is made for: in a tunnel TLS has ended already. */
  readonly #base: string;
  #underWay = 0;
  /** Those that wait until fewer are under way. */
  readonly #waiting: (() => void)[] = [];

  /** @param isOthers tells the answers of what stands before the server, and may not know the way to it yet. */
  constructor(target: Target, isOthers: (answer: Answer) => boolean = () => false) {
    this.#target = target;
    this.#isOthers = isOthers;
    const options = { keepAlive: true, maxSockets: CONNECTIONS, scheduling: "fifo" as const };
    const { tunnel, endpoint, ca } = target;
    this.#base = tunnel === undefined ? endpoint : endpoint.replace(/^https:/, "http:");
    const secure = new URL(this.#base).protocol === "https:";
    this.#agent = secure ? new HttpsAgent({ ...options, ca }) : new HttpAgent(options);
    if (tunnel !== undefined) {
      this.#agent.createConnection = (_options, made) => {
        tunnel.connect().then(
          (connection) => made?.(null, connection),
          (error: unknown) => made?.(error as Error, undefined as unknown as Duplex),
        );
        return undefined;
      };
    }
  }

  /**
   * @param path below the endpoint, percent-encoded.
   * @param body sent as JSON.
   * @returns any answer that the server meant: also one that refuses.
   * @throws Unreachable after the last try, or when it is told to end. Its message holds no token.
   */
  async send(method: string, path: string, body?: unknown): Promise<Answer> {
    try {
      return await this.#send(method, path, body);
    } catch (error) {
      if (this.#target.signal?.aborted !== true) throw error;
      throw new Unreachable(`${method} ${this.#target.endpoint}${path} was given up: the run is cancelled`);
    }
  }

  async #send(method: string, path: string, body: unknown): Promise<Answer> {
    const { waits = WAITS, signal } = this.#target;
    const deadline = performance.now() + LONGEST;
    for (let attempt = 0; ; attempt += 1) {
      const outcome = await this.#inTurn(async () =>
        this.#try(method, path, body, await this.#target.token()),
      );
      if (!("reason" in outcome)) return outcome;
      const wait = waits[attempt];
      if (wait === undefined || performance.now() + wait > deadline) {
        throw new Unreachable(
          `${method} ${this.#target.endpoint}${path} failed ${attempt + 1} times, the last time because ${outcome.reason}`,
        );
      }
      // Between half and all of it, so that many who wait do not come back at once.
      await sleep(wait * (0.5 + Math.random() / 2), undefined, { signal });
    }
  }

  close(): void {
    this.#agent.destroy();
  }

  /**
   * Waits for a turn. The agent would, too, but it counts a connection only once it is made, which in a tunnel takes a
   * while, and a request that waits in it has its time running.
   */
  async #inTurn<T>(work: () => Promise<T>): Promise<T> {
    if (this.#underWay < CONNECTIONS) this.#underWay += 1;
    else await new Promise<void>((resolve) => this.#waiting.push(resolve));
    try {
      return await work();
    } finally {
      const next = this.#waiting.shift();
      if (next) next();
      else this.#underWay -= 1;
    }
  }

  async #try(method: string, path: string, body: unknown, token: string): Promise<Outcome> {
    try {
      const answer = await this.#once(method, path, body, token);
      const { status } = answer;
      if (status === 429 || (status >= 502 && status <= 504)) {
        return { reason: `the server answered ${status}` };
      }
      return this.#isOthers(answer)
        ? { reason: `the answer was ${status} and not Attic's: is it Attic that answers there?` }
        : answer;
    } catch (error) {
      if (this.#target.signal?.aborted === true) throw error;
      const { code = "", message } = error as NodeJS.ErrnoException;
      if (error instanceof TunnelClosed)
        throw new Unreachable(`There is no way to the server through the Kubernetes API: ${message}.`);
      this.#dropIdle();
      return { reason: reasonOf(code, message) };
    }
  }

  /** Where one connection has failed, those that were made before may have, too, without a word. */
  #dropIdle(): void {
    for (const idle of Object.values(this.#agent.freeSockets))
      for (const socket of idle ?? []) socket.destroy();
  }

  #once(method: string, path: string, body: unknown, token: string): Promise<Answer> {
    const { patience = PATIENCE, signal } = this.#target;
    const signals = [AbortSignal.timeout(patience), ...(signal ? [signal] : [])];
    const url = new URL(path, this.#base);
    const payload = body === undefined ? undefined : JSON.stringify(body);
    const send = url.protocol === "https:" ? httpsRequest : httpRequest;
    return new Promise((resolve, reject) => {
      const call = send(url, {
        method,
        agent: this.#agent,
        signal: AbortSignal.any(signals),
        headers: {
          authorization: `Bearer ${token}`,
          accept: "application/json",
          ...(payload !== undefined && {
            "content-type": "application/json",
            "content-length": Buffer.byteLength(payload),
          }),
        },
      });
      call.on("error", reject).on("response", (response) => {
        read(response).then((text) => {
          resolve({ status: response.statusCode ?? 0, text });
        }, reject);
      });
      call.end(payload);
    });
  }
}

type Outcome = Answer | { reason: string };

/** Until its own certificate is there, which takes a while, a gateway shows one that nobody trusts. */
const CERTIFICATE_ERRORS = /^(CERT_|ERR_TLS_CERT|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO_(GET|VERIFY))/;

function reasonOf(code: string, message: string): string {
  if (CERTIFICATE_ERRORS.test(code))
    // What comes after it advises options of Node's, which nobody gives to a plugin.
    return `its certificate is not trusted (${message.split(";")[0]}). If a CA of yours signs it, name the file of that CA in NODE_EXTRA_CA_CERTS`;
  const words: Record<string, string> = {
    ECONNREFUSED: "nobody listens there",
    ENOTFOUND: "its name is not known",
    EAI_AGAIN: "its name could not be looked up",
    ECONNRESET: "the connection was closed half way",
    ABORT_ERR: "it did not answer in time",
  };
  return words[code] ?? (code === "" ? message : `${code}: ${message}`);
}

async function read(response: IncomingMessage): Promise<string> {
  const parts: Buffer[] = [];
  let size = 0;
  for await (const part of response as AsyncIterable<Buffer>) {
    size += part.length;
    if (size > LARGEST_ANSWER) throw new Error(`its answer is larger than ${LARGEST_ANSWER} bytes`);
    parts.push(part);
  }
  return Buffer.concat(parts).toString();
}
