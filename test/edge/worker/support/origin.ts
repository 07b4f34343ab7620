import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

export type Answer = (request: IncomingMessage, response: ServerResponse) => void;

/** A server behind the edge that answers as it is told, and remembers what it was asked. */
export class Origin implements AsyncDisposable {
  readonly #server = createServer((request, response) => {
    this.asked.push(request);
    const answer = this.answers[request.url ?? ""];
    if (answer === undefined) response.writeHead(404).end("{}");
    else answer(request, response);
  });

  answers: Readonly<Record<string, Answer>> = {};
  readonly asked: IncomingMessage[] = [];

  /** With a slash at its end. */
  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/`;
  }

  static async start(): Promise<Origin> {
    const origin = new Origin();
    await new Promise<void>((resolve) => origin.#server.listen(0, "127.0.0.1", resolve));
    return origin;
  }

  /** The paths that were asked for since this was asked last. */
  takePaths(): string[] {
    return this.asked.splice(0).map(({ url = "" }) => url);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

export function says(
  status: number,
  body: string | Buffer,
  headers: Readonly<Record<string, string>> = {},
): Answer {
  return (_, response) =>
    response.writeHead(status, { "content-length": Buffer.byteLength(body), ...headers }).end(body);
}
