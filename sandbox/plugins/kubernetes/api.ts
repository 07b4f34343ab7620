import http from "node:http";
import https from "node:https";
import { isObject, type Value } from "../../../provider/protocol/values.ts";
import type { Connection } from "./kubeconfig.ts";
import { text, type KubeObject } from "./object.ts";

/** What the API server refused, in its own words. */
export class StatusError extends Error {
  override readonly name = "StatusError";
  readonly code: number;
  /** The machine-readable reason, such as `AlreadyExists`. */
  readonly reason: string;
  /** The kind that the error is about, in the plural: `namespaces`. */
  readonly kind: string;
  constructor(code: number, status: KubeObject) {
    super(text(status, "message") || `the server answered with HTTP status ${code}`);
    this.code = code;
    this.reason = text(status, "reason");
    this.kind = text(status, "details", "kind");
  }
}

/** The operation was called off by the engine. */
export class Cancelled extends Error {
  override readonly name = "Cancelled";
}

export type Query = Readonly<Record<string, string>>;

interface Request {
  query?: Query;
  body?: Value;
  /** Of the body; plain JSON where it is not given. */
  contentType?: string;
  signal?: AbortSignal | undefined;
}

/** An event of a watch. */
export interface WatchEvent {
  type: "ADDED" | "MODIFIED" | "DELETED" | "BOOKMARK" | "ERROR";
  object: KubeObject;
}

/** A client of one API server, over connections that are kept open. */
export class Api {
  readonly #connection: Connection;
  readonly #agent: http.Agent;
  readonly #userAgent: string;

  constructor(connection: Connection, version: string) {
    this.#connection = connection;
    this.#userAgent = `pulumi-kubernetes/${version} (attic-stack sandbox)`;
    this.#agent = connection.server.startsWith("https:")
      ? new https.Agent({
          keepAlive: true,
          ca: connection.ca,
          cert: connection.certificate,
          key: connection.key,
          rejectUnauthorized: !connection.insecure,
          servername: connection.serverName,
        })
      : new http.Agent({ keepAlive: true });
  }

  /** @throws StatusError where the server refuses, another Error where it cannot be reached. */
  async request(method: string, path: string, request: Request = {}): Promise<KubeObject> {
    const response = await this.#send(method, path, request);
    const chunks: Buffer[] = [];
    for await (const chunk of response) chunks.push(chunk as Buffer);
    return this.#parse(response, Buffer.concat(chunks).toString());
  }

  async get(path: string, query: Query = {}): Promise<KubeObject> {
    return this.request("GET", path, { query });
  }

  /** The object at a path, or undefined where there is none. */
  async find(path: string): Promise<KubeObject | undefined> {
    try {
      return await this.get(path);
    } catch (error) {
      if (error instanceof StatusError && error.code === 404) return undefined;
      throw error;
    }
  }

  /** Follows the objects at a path of a collection until the signal, the server or the connection ends it. */
  async *watch(path: string, query: Query, signal: AbortSignal): AsyncGenerator<WatchEvent> {
    const response = await this.#send("GET", path, { query: { ...query, watch: "true" }, signal });
    let rest = "";
    if (response.statusCode !== 200) {
      for await (const chunk of response) rest += String(chunk);
      this.#parse(response, rest);
    }
    response.setEncoding("utf8");
    for await (const chunk of response) {
      const lines = (rest + String(chunk)).split("\n");
      rest = lines.pop() ?? "";
      for (const line of lines) if (line !== "") yield JSON.parse(line) as WatchEvent;
    }
  }

  #parse(response: http.IncomingMessage, body: string): KubeObject {
    const code = response.statusCode ?? 0;
    let parsed: unknown;
    try {
      parsed = JSON.parse(body);
    } catch {
      parsed = { message: body.trim().slice(0, 500) };
    }
    const object = isObject(parsed as Value) ? (parsed as KubeObject) : {};
    if (code >= 400) throw new StatusError(code, object);
    return object;
  }

  async #send(
    method: string,
    path: string,
    { query, body, contentType, signal }: Request,
  ): Promise<http.IncomingMessage> {
    const url = new URL(this.#connection.server + path);
    for (const [key, value] of Object.entries(query ?? {})) url.searchParams.set(key, value);
    const payload = body === undefined ? undefined : Buffer.from(JSON.stringify(body));
    const headers: http.OutgoingHttpHeaders = { accept: "application/json", "user-agent": this.#userAgent };
    if (this.#connection.authorization !== undefined) headers.authorization = this.#connection.authorization;
    if (payload) {
      headers["content-type"] = contentType ?? "application/json";
      headers["content-length"] = payload.length;
    }
    const { request } = url.protocol === "https:" ? https : http;
    const send = (): Promise<http.IncomingMessage> =>
      new Promise((resolve, reject) => {
        const call = request(url, { method, headers, agent: this.#agent, signal }, resolve);
        call.on("error", (error: NodeJS.ErrnoException) => {
          // A kept connection that the server had closed: nothing of the request was read, so it may go again.
          if (call.reusedSocket && error.code === "ECONNRESET") send().then(resolve, reject);
          else
            reject(signal?.aborted === true ? new Cancelled("cancelled") : unreachable(method, url, error));
        });
        call.end(payload);
      });
    return send();
  }
}

function unreachable(method: string, url: URL, error: NodeJS.ErrnoException): Error {
  const verb = method.charAt(0) + method.slice(1).toLowerCase();
  const host = `${url.hostname}:${url.port || (url.protocol === "https:" ? "443" : "80")}`;
  const reason =
    error.code === "ECONNREFUSED" ? `dial tcp ${host}: connect: connection refused` : error.message;
  return new Error(`${verb} "${url.href}": ${reason}`);
}
