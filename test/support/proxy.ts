import {
  Agent,
  createServer,
  type IncomingMessage,
  request as httpRequest,
  type Server,
  type ServerResponse,
} from "node:http";
import type { AddressInfo } from "node:net";

/** One request as the proxy saw it. */
export interface Seen {
  method: string;
  /** With the slash at its beginning. */
  path: string;
  /** The bearer token. Secret. */
  token: string;
  /** In milliseconds since 1970. */
  at: number;
}

/** Answers in the server's stead, or does worse, where it gives true. */
export type Fault = (seen: Seen, response: ServerResponse, request: IncomingMessage) => boolean;

/** Stands between a client and a server, counts what goes through, and misbehaves as told. */
export class Proxy {
  /** Every request that came, in the order of their coming. */
  readonly seen: Seen[] = [];
  /** The connections that were made to it, and the most requests that were under way at once. */
  connections = 0;
  most = 0;
  fault: Fault = () => false;
  /** How long a request waits before it goes on, in milliseconds. */
  delay = 0;
  /** The server's address; may be another one later. */
  target: string;
  readonly #agent = new Agent({ keepAlive: true });
  readonly #server: Server;
  #address = "";
  #running = 0;

  private constructor(target: string) {
    this.target = target;
    this.#server = createServer((request, response) => {
      this.#take(request, response);
    });
    this.#server.on("connection", () => (this.connections += 1));
  }

  static async start(target: string): Promise<Proxy> {
    const proxy = new Proxy(target);
    await proxy.resume(0);
    return proxy;
  }

  /** Its address, with its slash at the end. */
  get url(): string {
    return this.#address;
  }

  /** What it was asked since it was last told to forget, `GET main`, in the order of their coming. */
  get calls(): string[] {
    return this.seen.map(
      ({ method, path }) => `${method} ${decodeURIComponent(path.split("/").at(-1) ?? "")}`,
    );
  }

  forget(): void {
    this.seen.length = 0;
    this.connections = 0;
    this.most = 0;
  }

  /** Nobody listens any more, and every connection is cut. */
  async interrupt(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  /** Listens again, at the same address unless told. */
  async resume(port = Number(new URL(this.#address).port)): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      this.#server.once("error", reject).listen(port, "127.0.0.1", resolve);
    });
    this.#address = `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/`;
  }

  async stop(): Promise<void> {
    this.#agent.destroy();
    if (this.#server.listening) await this.interrupt();
  }

  #take(request: IncomingMessage, response: ServerResponse): void {
    const { method = "", url: path = "", headers } = request;
    const token = /^Bearer (.*)$/.exec(headers.authorization ?? "")?.[1] ?? "";
    const seen = { method, path, token, at: Date.now() };
    this.seen.push(seen);
    this.#running += 1;
    this.most = Math.max(this.most, this.#running);
    response.on("close", () => (this.#running -= 1));
    if (this.fault(seen, response, request)) return;
    setTimeout(() => {
      this.#pass(request, response);
    }, this.delay);
  }

  #pass(request: IncomingMessage, response: ServerResponse): void {
    const { method, headers } = request;
    const onward = httpRequest(new URL(request.url ?? "", this.target), {
      method,
      headers,
      agent: this.#agent,
    });
    // As a server that is not there looks from the other side.
    onward.on("error", () => response.destroy());
    onward.on("response", (answer) => {
      response.writeHead(answer.statusCode ?? 0, answer.headers);
      answer.pipe(response).on("error", () => undefined);
    });
    request.pipe(onward);
  }
}
