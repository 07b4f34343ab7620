import { Agent as HttpAgent, type IncomingMessage, request as httpRequest } from "node:http";
import { Agent as HttpsAgent, request as httpsRequest } from "node:https";
import { setTimeout as sleep } from "node:timers/promises";
import { Failure, Stopped, Transient, wordsOf } from "./trouble.ts";

/** Waits between tries in milliseconds; the last one again and again. */
const WAITS = [250, 500, 1000, 2000, 4000, 8000, 15_000] as const;
/** So many calls that failed for good, and none that went well between them: the service is away. */
const ENOUGH = 8;

/** An answer of more bytes than this is large. */
const LARGE = 2 ** 20;

export interface Patience {
  /** How long a server may say nothing, in milliseconds. */
  silence: number;
  /** How long a call is tried again in all, in milliseconds. */
  retrying: number;
  /** Once it is aborted nothing is tried again. */
  stop: AbortSignal;
}

export interface Call {
  method: string;
  url: URL;
  headers: Readonly<Record<string, string>>;
  body?: readonly Buffer[];
  /** Ends it half way. */
  abort?: AbortSignal;
  /** How long it may say nothing, in milliseconds, where that is not as usual. */
  silence?: number;
}

/** A server that is asked over HTTP: with a limit on silence, more tries where they may help, and an end to trying. */
export class Service {
  readonly #name: string;
  readonly patience: Patience;
  readonly #http = new HttpAgent({ keepAlive: true });
  readonly #https = new HttpsAgent({ keepAlive: true });
  #failures = 0;
  /** How often it was asked, further tries among it. */
  calls = 0;

  /** @param name such as "Attic". */
  constructor(name: string, patience: Patience) {
    this.#name = name;
    this.patience = patience;
  }

  close(): void {
    this.#http.destroy();
    this.#https.destroy();
  }

  /** Whether nobody asks it any more in this run. */
  get isAway(): boolean {
    return this.#failures >= ENOUGH;
  }

  /**
   * Tries until it goes well, or there is no use.
   *
   * @param what for the message, such as "GET main/nix-cache-info".
   * @throws Failure, Stopped, and what the attempt throws that is not Transient.
   */
  async retrying<T>(what: string, attempt: () => Promise<T>): Promise<T> {
    const { retrying, stop } = this.patience;
    const deadline = performance.now() + retrying;
    for (let tries = 1; ; tries += 1) {
      if (this.isAway) throw new Failure(`${this.#name} is away, so nothing more is asked of it`);
      try {
        const result = await attempt();
        this.#failures = 0;
        return result;
      } catch (error) {
        if (error instanceof Failure) throw new Failure(`${what}: ${error.message}`);
        if (!(error instanceof Transient)) throw error;
        const wait = (WAITS[tries - 1] ?? WAITS[WAITS.length - 1] ?? 0) * (0.5 + Math.random() / 2);
        if (stop.aborted) throw new Stopped("the run was asked to end");
        if (tries >= error.most || performance.now() + wait > deadline) {
          if (error.most === Infinity) this.#failures += 1;
          throw new Failure(
            `${what}: ${error.message}${tries > 1 ? `, and ${tries} tries did not help` : ""}`,
          );
        }
        await sleep(wait, undefined, { signal: stop }).catch(() => undefined);
      }
    }
  }

  /** Asks once. @returns the answer whatever its status, its body still to come. @throws Transient */
  async send(call: Call): Promise<IncomingMessage> {
    const { method, url, headers, body = [], abort, silence = this.patience.silence } = call;
    this.calls += 1;
    const isSecure = url.protocol === "https:";
    return await new Promise((resolve, reject) => {
      const request = (isSecure ? httpsRequest : httpRequest)(url, {
        method,
        headers,
        agent: isSecure ? this.#https : this.#http,
        ...(abort && { signal: abort }),
      });
      const watch = setTimeout(() => {
        request.destroy(new Error(`it said nothing for ${silence / 1000} s`));
      }, silence);
      request.on("response", (response) => {
        clearTimeout(watch);
        resolve(response);
      });
      request.on("error", (error: NodeJS.ErrnoException) => {
        clearTimeout(watch);
        reject(abort?.aborted === true ? new Stopped("the run was asked to end") : this.#failed(error));
      });
      const write = (index: number) => {
        const piece = body[index];
        if (piece === undefined) request.end();
        else
          request.write(piece, (error) => {
            if (error) return;
            watch.refresh();
            write(index + 1);
          });
      };
      write(0);
    });
  }

  /** The body of an answer as it comes. @throws Transient where it ends too early or there is silence. */
  async *read(response: IncomingMessage): AsyncGenerator<Buffer, undefined> {
    const { silence } = this.patience;
    let isWaiting = true;
    const watch = setInterval(() => {
      // Who takes the pieces may take its time.
      if (isWaiting) response.destroy(new Error(`nothing came any more for ${silence / 1000} s`));
    }, silence);
    try {
      for await (const piece of response as AsyncIterable<Buffer>) {
        isWaiting = false;
        yield piece;
        isWaiting = true;
        watch.refresh();
      }
    } catch (error) {
      throw isWaiting ? this.#failed(error as NodeJS.ErrnoException) : error;
    } finally {
      clearInterval(watch);
      response.destroy();
    }
  }

  /** A body that is known to be small. @throws Transient */
  async text(response: IncomingMessage, most = 2 ** 20): Promise<string> {
    return (await this.bytes(response, most)).toString();
  }

  async bytes(response: IncomingMessage, most = Infinity): Promise<Buffer> {
    const pieces: Buffer[] = [];
    // Where the length is known there is one piece of memory, not many and then one.
    const length = Number(response.headers["content-length"] ?? 0);
    const whole = length > LARGE && length <= most ? Buffer.allocUnsafe(length) : undefined;
    let size = 0;
    for await (const piece of this.read(response)) {
      if (whole !== undefined) piece.copy(whole, size);
      else pieces.push(piece);
      size += piece.length;
      if (size > most) throw new Transient(`its answer is longer than ${most} bytes`, 2);
    }
    return whole?.subarray(0, size) ?? Buffer.concat(pieces);
  }

  #failed(error: NodeJS.ErrnoException): Transient {
    const { code = "" } = error;
    return new Transient(
      `${this.#name}: ${WORDS[code] ?? wordsOf(error)}`,
      CERTIFICATE.test(code) ? 1 : Infinity,
    );
  }
}

/** A certificate gets no better by waiting. */
const CERTIFICATE = /^(CERT_|ERR_TLS_CERT|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO_(GET|VERIFY))/;

const WORDS: Readonly<Record<string, string>> = {
  ECONNREFUSED: "nobody listens there",
  ENOTFOUND: "its name is not known",
  EAI_AGAIN: "its name could not be looked up",
  ECONNRESET: "the connection was closed half way",
  EPIPE: "the connection was closed half way",
};
