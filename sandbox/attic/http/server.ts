import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { pipeline } from "node:stream/promises";
import type { Attic } from "../attic.ts";
import { log } from "../log.ts";
import { readToken } from "../tokens.ts";
import { JSON_TYPE, type Reply } from "./call.ts";
import { Refusal, refuse } from "./refusal.ts";
import { allowed, findRoute } from "./routes.ts";

/** What headers may take in all, in bytes: long tokens, and NAR infos of 4 KiB. */
const LARGEST_HEADERS = 256 * 1024;

/**
 * Answers at the configured address until it is told to stop, then ends what it has begun.
 *
 * @param stop told to stop by itself where the address cannot be had.
 */
export async function serve(attic: Attic, stop: AbortController): Promise<void> {
  const server = httpServer(attic);
  const { host, port, text } = attic.config.listen;
  log("Starting API server...");
  await new Promise<void>((resolve, reject) => {
    stop.signal.addEventListener("abort", () => {
      server.close(() => {
        resolve();
      });
      server.closeIdleConnections();
    });
    server.once("error", (error) => {
      reject(error);
      stop.abort();
    });
    server.listen({ host, port }, () => {
      log(`Listening on ${text}...`);
    });
  });
}

/** Like the real server, this ends no upload and no connection for being slow. */
function httpServer(attic: Attic): Server {
  const options = { maxHeaderSize: LARGEST_HEADERS, requestTimeout: 0, keepAliveTimeout: 0 };
  return createServer(options, (request, response) => {
    answer(attic, request)
      .then(async (reply) => {
        await send(request, response, reply);
        // Also what a refused client still sends has to be read before its next request.
        request.resume();
      })
      .catch((error: unknown) => {
        // The answer has begun, or nobody is there to hear it: a closed connection is all that is left to say.
        if (!request.destroyed) log(`${where(request)}: ${(error as Error).message}`);
        response.destroy();
      });
  });
}

async function answer(attic: Attic, request: IncomingMessage): Promise<Reply> {
  try {
    return await handle(attic, request);
  } catch (error) {
    if (error instanceof Refusal) return refusalReply(error);
    log(`${where(request)}: ${describe(error)}`);
    return refusalReply(refuse.internal());
  }
}

async function handle(attic: Attic, request: IncomingMessage): Promise<Reply> {
  const allowedHosts = attic.config["allowed-hosts"];
  if (allowedHosts.length > 0 && !allowedHosts.includes(request.headers.host ?? ""))
    throw refuse.badRequest("Bad Host");
  const [path = ""] = (request.url ?? "").split("?");
  const { methods, params } = findRoute(path);
  const handler = methods[request.method === "HEAD" ? "GET" : (request.method ?? "")];
  if (handler === undefined) return { status: 405, headers: { allow: allowed(methods) } };
  const token = await readToken(attic.config, request.headers.authorization);
  return await handler(attic, { request, token, params: params() });
}

function refusalReply({ status, kind, message }: Refusal): Reply {
  if (kind === undefined)
    return { status, headers: { "content-type": "text/plain; charset=utf-8" }, body: message };
  const body = JSON.stringify({ code: status, error: kind, message });
  return { status, headers: { "content-type": JSON_TYPE }, body };
}

async function send(request: IncomingMessage, response: ServerResponse, reply: Reply): Promise<void> {
  const { status, headers = {}, body = "" } = reply;
  if (typeof body === "string") {
    response.writeHead(status, { ...headers, "content-length": Buffer.byteLength(body) });
    response.end(request.method === "HEAD" ? undefined : body);
    return;
  }
  response.writeHead(status, headers);
  if (request.method === "HEAD") {
    body.destroy();
    response.end();
  } else await pipeline(body, response);
}

function where({ method = "", url = "" }: IncomingMessage): string {
  return `${method} ${url.split("?")[0] ?? ""}`;
}

/** Drivers put addresses, and at worst a user's name, into their messages; never a password. */
function describe(error: unknown): string {
  if (error instanceof AggregateError && error.errors.length > 0) return describe(error.errors[0]);
  const { message, code = "" } = error as NodeJS.ErrnoException;
  return message || code;
}
