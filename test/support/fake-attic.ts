import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { publicKeyOf } from "../../components/attic/keypair.ts";

/** What the server keeps of a cache. */
export interface FakeCache {
  is_public: boolean;
  store_dir: string;
  priority: number;
  upstream_cache_key_names: string[];
  public_key: string;
  retention_period: "Global" | { Period: number };
}

type Fault = (request: IncomingMessage, response: ServerResponse) => boolean;

/**
 * Attic's configuration API in memory, for tests of what a client does: it counts what it is asked and misbehaves as
 * told. What the real server answers is in the contract suite.
 */
export class FakeAttic {
  readonly caches = new Map<string, FakeCache>();
  /** Every call that was made, `METHOD name`. */
  readonly calls: string[] = [];
  /** The most calls that were under way at once, and the connections that were made. */
  most = 0;
  connections = 0;
  /** Answers a call in the server's stead where it gives true. */
  fault: Fault = () => false;
  /** How long an answer takes, in milliseconds. */
  delay = 0;
  readonly #server: Server;
  #running = 0;

  constructor() {
    this.#server = createServer((request, response) => {
      let body = "";
      request.on("data", (data: Buffer) => (body += data.toString()));
      request.on("end", () => {
        this.calls.push(`${request.method ?? ""} ${nameIn(request)}`);
        this.#running += 1;
        this.most = Math.max(this.most, this.#running);
        response.on("close", () => (this.#running -= 1));
        setTimeout(() => {
          if (!this.fault(request, response)) this.#answer(request, body, response);
        }, this.delay);
      });
    });
    this.#server.on("connection", () => (this.connections += 1));
  }

  async start(): Promise<string> {
    await new Promise<void>((resolve) => this.#server.listen(0, "127.0.0.1", resolve));
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/`;
  }

  stop(): void {
    this.#server.close();
    this.#server.closeAllConnections();
  }

  #answer(request: IncomingMessage, body: string, response: ServerResponse): void {
    const name = nameIn(request);
    const there = this.caches.get(name);
    const given = (body === "" ? {} : JSON.parse(body)) as Partial<FakeCache> & { keypair?: unknown };
    const { keypair, ...settings } = given;
    const key = keypair === undefined ? {} : { public_key: publicOf(name, keypair) };
    if (request.method === "POST") {
      if (there) {
        refuse(response, 400, "CacheAlreadyExists");
        return;
      }
      this.caches.set(name, { retention_period: "Global", ...settings, ...key } as FakeCache);
    } else if (!there) {
      refuse(response, 404, "NoSuchCache");
      return;
    } else if (request.method === "GET") {
      json(response, 200, { substituter_endpoint: `http://x/${name}`, api_endpoint: "http://x/", ...there });
      return;
    } else if (request.method === "DELETE") this.caches.delete(name);
    else if (Object.keys(given).length === 0) {
      refuse(response, 400, "RequestError");
      return;
    } else Object.assign(there, settings, key);
    response.writeHead(200).end();
  }
}

function nameIn({ url = "" }: IncomingMessage): string {
  return decodeURIComponent(url.split("/").at(-1) ?? "");
}

function publicOf(name: string, keypair: unknown): string {
  const { Keypair: text } = keypair as { Keypair?: string };
  return text === undefined ? `${name}:${"S".repeat(43)}=` : (publicKeyOf(text) ?? "");
}

function json(response: ServerResponse, status: number, value: unknown): void {
  response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(value));
}

/** Says no in Attic's form. */
export function refuse(response: ServerResponse, status: number, error: string): void {
  json(response, status, { code: status, error, message: error });
}
