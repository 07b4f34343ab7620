import { createInterface } from "node:readline";
import type { IncomingMessage } from "node:http";
import { Agent, request } from "node:https";

/** How long one request may take, in milliseconds. */
const PATIENCE = 15_000;

/** A Kubernetes object, as far as one has to know it to send it where it belongs. */
export interface Manifest {
  apiVersion: string;
  kind: string;
  metadata: { name: string; namespace?: string };
}

/** An answer of the API server that is an error; the message is the server's. */
export class ApiError extends Error {
  override readonly name = "ApiError";
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

/**
 * The few calls that the sandbox itself makes to its API server. A client library would have to be loaded
 * for them, which takes longer than starting the server.
 */
export class Api {
  readonly #server: string;
  readonly #token: string;
  readonly #agent: Agent;
  readonly #certificate: string;

  /** @param certificate with which the server shows itself, as PEM. */
  constructor(server: string, certificate: string, token: string) {
    this.#server = server;
    this.#token = token;
    this.#certificate = certificate;
    this.#agent = new Agent({ ca: certificate, keepAlive: true, maxSockets: 8 });
  }

  /** @throws ApiError where the server refuses, and Node's own errors where there is no server. */
  async call(method: string, path: string, body?: string, type = "application/json"): Promise<string> {
    return await new Promise((resolve, reject) => {
      const call = request(
        `${this.#server}${path}`,
        {
          method,
          agent: this.#agent,
          timeout: PATIENCE,
          headers: {
            accept: "application/json",
            authorization: `Bearer ${this.#token}`,
            ...(body !== undefined && { "content-type": type, "content-length": Buffer.byteLength(body) }),
          },
        },
        (response) => {
          let text = "";
          response
            .setEncoding("utf8")
            .on("data", (chunk: string) => (text += chunk))
            .on("error", reject)
            .on("end", () => {
              const status = response.statusCode ?? 0;
              if (status < 300) resolve(text);
              else reject(new ApiError(status, `${method} ${path}: ${status} ${text.slice(0, 500)}`));
            });
        },
      );
      call.on("timeout", () => call.destroy(new Error(`${method} ${path}: no answer`)));
      call.on("error", reject).end(body);
    });
  }

  /**
   * The lines of an answer that goes on, such as a watch, until the server ends it.
   *
   * @throws ApiError where the server refuses, and Node's own errors where the connection breaks.
   */
  async *lines(path: string, signal: AbortSignal): AsyncGenerator<string> {
    const response = await new Promise<IncomingMessage>((resolve, reject) => {
      // On a connection of its own: it is taken for as long as the answer lasts.
      const options = { agent: false, ca: this.#certificate, signal };
      request(`${this.#server}${path}`, { ...options, headers: { authorization: `Bearer ${this.#token}` } })
        .on("response", resolve)
        .on("error", reject)
        .end();
    });
    const status = response.statusCode ?? 0;
    const lines = createInterface({ input: response, crlfDelay: Infinity });
    try {
      for await (const line of lines) {
        if (status >= 300) throw new ApiError(status, `GET ${path}: ${status} ${line.slice(0, 500)}`);
        yield line;
      }
    } finally {
      response.destroy();
    }
  }

  /**
   * Creates an object or makes it what the manifest says (server-side apply).
   *
   * @param plural the kind's name in addresses, such as "nodes".
   * @param text what is sent, as YAML or JSON; the manifest itself unless given.
   */
  async apply(manifest: Manifest, plural: string, text = JSON.stringify(manifest)): Promise<void> {
    const root = manifest.apiVersion.includes("/") ? "apis" : "api";
    const path = `/${root}/${manifest.apiVersion}/${plural}/${manifest.metadata.name}`;
    await this.call(
      "PATCH",
      `${path}?fieldManager=attic-stack-sandbox&force=true`,
      text,
      "application/apply-patch+yaml",
    );
  }

  close(): void {
    this.#agent.destroy();
  }
}
