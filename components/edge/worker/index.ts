import type { EdgeCache } from "../layout.ts";
import { admit } from "./access.ts";
import { answer } from "./answer.ts";
import { cacheInfo } from "./cache-info.ts";
import type { Call, Environment } from "./call.ts";
import { type Edge, readConfig } from "./config.ts";
import { Fault } from "./fault.ts";
import { missing } from "./missing.ts";
import { nar } from "./nar.ts";
import { narinfo } from "./narinfo.ts";
import { noteRead } from "./note-read.ts";
import { page } from "./page/page.ts";
import { type Request, Response } from "./platform.ts";
import { pullNar } from "./pull/pull-nar.ts";
import { type CacheRoute, routeOf } from "./route.ts";
import { status } from "./status.ts";

/** The edge: a binary cache for Nix out of a bucket, read only. */
export default {
  async fetch(request: Request, environment: Environment, context: Call["context"]): Promise<Response> {
    if (request.method !== "GET" && request.method !== "HEAD")
      return answer(405, "The edge is read only.\n", { allow: "GET, HEAD" });
    let edge: Edge;
    try {
      edge = await readConfig(environment.CONFIG);
    } catch (error) {
      log(request, error);
      return answer(500, "The edge's configuration is not in order: the Worker's log says what.\n");
    }
    try {
      return await respond({ request, edge, environment, context });
    } catch (error) {
      log(request, error);
      if (error instanceof Fault) return answer(error.status, `${error.message}\n`);
      return answer(503, "The edge cannot read its bucket just now.\n", { "retry-after": "10" });
    }
  },
};

async function respond(call: Call): Promise<Response> {
  const route = routeOf(new URL(call.request.url).pathname, call.edge.config.default);
  if (route === undefined) return missing();
  if (!("cache" in route)) return route.kind === "page" ? await page(call) : await status(call);
  const cache = await admit(call, route.cache);
  return cache instanceof Response ? cache : await fromCache(call, cache, route);
}

async function fromCache(call: Call, cache: EdgeCache, route: CacheRoute): Promise<Response> {
  if (route.kind === "cache-info") return cacheInfo(cache);
  if (route.kind === "narinfo") return await narinfo(call, cache, route.hash);
  const response =
    route.kind === "nar" ? await nar(call, cache, route.file) : await pullNar(call, cache, route);
  noteRead(call, response, cache.name, route.narHash);
  return response;
}

/** One line for the operator. Of the request only where it went: its headers hold tokens. */
function log({ method, url }: Request, error: unknown): void {
  const reason = String(error).replace(/\s+/g, " ").slice(0, 300);
  console.error(`edge: ${method} ${new URL(url).pathname.slice(0, 300)}: ${reason}`);
}
