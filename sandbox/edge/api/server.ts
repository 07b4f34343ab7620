import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { Edge } from "../edge.ts";
import type { TokenState } from "../state.ts";
import type { Call } from "./call.ts";
import { ApiError, envelope, type Json, refusal } from "./envelope.ts";
import { grants, resource } from "./permission-groups.ts";
import { type Route, ROUTES } from "./routes.ts";
import { hashOf, isValid } from "./tokens.ts";

export const BASE_PATH = "/client/v4/";
/** Bytes of the largest call: a Worker's modules before they are compressed. */
const LARGEST = 64 * 1024 * 1024;

/**
 * Serves Cloudflare's REST API, version 4.
 *
 * @param master hash of the token that the sandbox's engine has, which may do all.
 * @param log is told of each call, without what is secret.
 */
export function apiServer(edge: Edge, master: string, log: (line: string) => void): Server {
  return createServer((request, response) => {
    answer(edge, master, request, response, log).catch((error: unknown) => {
      console.error(error);
      response.destroy();
    });
  });
}

async function answer(
  edge: Edge,
  master: string,
  request: IncomingMessage,
  response: ServerResponse,
  log: (line: string) => void,
): Promise<void> {
  const began = performance.now();
  let result: Json | Response;
  let status = 200;
  try {
    const body = await bodyOf(request);
    result = await dispatch(edge, master, request, body);
    if (!(result instanceof Response)) result = envelope(result);
  } catch (error) {
    const refused =
      error instanceof ApiError ? error : new ApiError(500, 10000, "Internal error of the sandbox.");
    if (refused !== error) console.error(error);
    status = refused.status;
    result = refusal(refused);
  }
  const plain = result instanceof Response ? result : Response.json(result, { status });
  const contents = Buffer.from(await plain.arrayBuffer());
  const headers = { ...Object.fromEntries(plain.headers), "content-length": contents.length };
  response.writeHead(plain.status, headers).end(contents);
  const took = Math.round(performance.now() - began);
  log(`${request.method ?? ""} ${request.url ?? ""} ${plain.status} ${took} ms`);
}

async function dispatch(
  edge: Edge,
  master: string,
  request: IncomingMessage,
  body: Buffer,
): Promise<Json | Response> {
  const url = new URL(request.url ?? "/", "http://api");
  const { route, params } = find(url.pathname);
  const method = request.method ?? "GET";
  const token = authenticate(edge, master, request);
  const wrong = ["account", "zone"].find(
    (name) => name in params && !/^[0-9a-f]{32}$/.test(params[name] ?? ""),
  );
  if (wrong !== undefined)
    throw new ApiError(
      400,
      7003,
      `Could not route to ${url.pathname}, perhaps your object identifier is invalid? An id of 32 hexadecimal digits is wanted for the ${wrong}.`,
    );
  const handler = route.methods[method];
  if (!handler) throw new ApiError(405, 10405, `Method ${method} is not allowed for ${url.pathname}.`);
  if (token) authorize(token, route, method, params);
  const headers = new Headers();
  for (const [name, value] of Object.entries(request.headers)) headers.set(name, String(value));
  const call: Call = {
    edge,
    method,
    params,
    query: url.searchParams,
    headers,
    body,
    ...(token && { token }),
  };
  return await handler(call);
}

function find(pathname: string): { route: Route; params: Record<string, string> } {
  const parts = pathname.startsWith(BASE_PATH) ? pathname.slice(BASE_PATH.length).split("/") : [];
  for (const route of ROUTES) {
    const wanted = route.path.split("/");
    if (wanted.length !== parts.length) continue;
    if (!wanted.every((word, at) => word.startsWith(":") || word === parts[at])) continue;
    const named = wanted.flatMap((word, at) =>
      word.startsWith(":") ? [[word.slice(1), decodeURIComponent(parts[at] ?? "")]] : [],
    );
    return { route, params: Object.fromEntries(named) as Record<string, string> };
  }
  throw new ApiError(404, 7000, `No route for that URI: the sandbox's Cloudflare does not play ${pathname}.`);
}

/** Whose token a call brings; undefined for the sandbox's own. */
function authenticate(edge: Edge, master: string, request: IncomingMessage): TokenState | undefined {
  const header = request.headers.authorization;
  if (header === undefined)
    throw new ApiError(400, 9106, "Missing X-Auth-Key, X-Auth-Email or Authorization headers");
  const [, value] = /^Bearer ([\w.~+/=-]+)$/.exec(header) ?? [];
  if (value === undefined) throw new ApiError(400, 6111, "Invalid format for Authorization header");
  const hash = hashOf(value);
  if (hash === master) return undefined;
  const token = edge.state.tokens.find((known) => known.hash === hash);
  if (token && isValid(token)) return token;
  throw new ApiError(403, 9109, "Invalid access token");
}

function authorize(
  token: TokenState,
  { area }: Route,
  method: string,
  params: Readonly<Record<string, string>>,
): void {
  const { account, zone } = params;
  // The Analytics Engine is read by POST as well.
  const reads = method === "GET" || area === "Account Analytics";
  const names = [...(reads ? [`${area} Read`] : []), `${area} Write`];
  const of = zone === undefined ? resource.account(account ?? "") : resource.zone(zone);
  const own = account === undefined || account === token.account;
  if (own && (area === "none" || grants(token, names, of))) return;
  throw new ApiError(403, 10000, "Authentication error");
}

async function bodyOf(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length > LARGEST) throw new ApiError(413, 10027, "The request's body is too large.");
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
