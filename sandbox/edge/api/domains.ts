import { createHash } from "node:crypto";
import type { DomainState, RouteState } from "../state.ts";
import { type Call, jsonOf, newId, param, textOf } from "./call.ts";
import { ApiError, type Json } from "./envelope.ts";

/**
 * Leads a name to a Worker. The sandbox has every zone: the one that is named, or else the name's last two labels,
 * whose id is made of its name.
 */
export async function putDomain(call: Call): Promise<Json> {
  const body = jsonOf(call);
  const account = param(call, "account");
  const hostname = textOf(body, "hostname", 100116).toLowerCase();
  const service = textOf(body, "service", 100116);
  if (!isHost(hostname)) throw new ApiError(400, 100116, `${hostname} is no host name.`);
  needScript(call, account, service);
  const zoneName =
    typeof body.zone_name === "string" ? body.zone_name : hostname.split(".").slice(-2).join(".");
  if (hostname !== zoneName && !hostname.endsWith(`.${zoneName}`))
    throw new ApiError(400, 100117, `${hostname} is not in the zone ${zoneName}.`);
  const before = call.edge.state.domains.find(
    (domain) => domain.account === account && domain.hostname === hostname,
  );
  const domain: DomainState = {
    account,
    id: before?.id ?? newId(),
    hostname,
    service,
    environment: typeof body.environment === "string" ? body.environment : "production",
    zoneId: typeof body.zone_id === "string" ? body.zone_id : idOf(zoneName),
    zoneName,
    certId: before?.certId ?? crypto.randomUUID(),
  };
  await call.edge.change((state) => {
    state.domains = [...state.domains.filter(({ id }) => id !== domain.id), domain];
  });
  return shownDomain(domain);
}

export function getDomain(call: Call): Json {
  return shownDomain(findDomain(call));
}

export function listDomains(call: Call): Json {
  const [hostname, service] = [call.query.get("hostname"), call.query.get("service")];
  return call.edge.state.domains
    .filter(({ account }) => account === param(call, "account"))
    .filter((domain) => hostname === null || domain.hostname === hostname)
    .filter((domain) => service === null || domain.service === service)
    .map(shownDomain);
}

export async function deleteDomain(call: Call): Promise<Json> {
  const { id } = findDomain(call);
  await call.edge.change((state) => {
    state.domains = state.domains.filter((domain) => domain.id !== id);
  });
  return { id };
}

export async function createRoute(call: Call): Promise<Json> {
  const route = { ...readRoute(call), zone: param(call, "zone"), id: newId() };
  await call.edge.change((state) => {
    if (state.routes.some(({ zone, pattern }) => zone === route.zone && pattern === route.pattern))
      throw new ApiError(409, 10020, "A route with the same pattern already exists.");
    state.routes.push(route);
  });
  return shownRoute(route);
}

export function getRoute(call: Call): Json {
  return shownRoute(findRoute(call));
}

export function listRoutes(call: Call): Json {
  return call.edge.state.routes.filter(({ zone }) => zone === param(call, "zone")).map(shownRoute);
}

export async function putRoute(call: Call): Promise<Json> {
  const { zone, id } = findRoute(call);
  const route = { ...readRoute(call), zone, id };
  await call.edge.change((state) => {
    state.routes = state.routes.map((other) => (other.id === id ? route : other));
  });
  return shownRoute(route);
}

export async function deleteRoute(call: Call): Promise<Json> {
  const { id } = findRoute(call);
  await call.edge.change((state) => {
    state.routes = state.routes.filter((route) => route.id !== id);
  });
  return { id };
}

function readRoute(call: Call): Pick<RouteState, "pattern" | "script"> {
  const body = jsonOf(call);
  const pattern = textOf(body, "pattern", 10022);
  // A star may begin the host's name, and end the path.
  if (!/^(https?:\/\/)?(\*\.?)?[a-z0-9.-]+(\/[^*?]*\*?)?$/i.test(pattern))
    throw new ApiError(400, 10022, `The route's pattern ${pattern} is not valid.`);
  const { script } = body;
  if (typeof script !== "string" || script === "") return { pattern };
  if (!call.edge.state.scripts.some(({ name }) => name === script))
    throw new ApiError(400, 10019, `The Worker ${script}, to which the route leads, does not exist.`);
  return { pattern, script };
}

function needScript(call: Call, account: string, service: string): void {
  if (call.edge.state.scripts.some((script) => script.account === account && script.name === service)) return;
  throw new ApiError(404, 10007, `The Worker ${service} does not exist on your account.`);
}

function findDomain(call: Call): DomainState {
  const [account, id] = [param(call, "account"), param(call, "domain")];
  const found = call.edge.state.domains.find((domain) => domain.account === account && domain.id === id);
  if (found) return found;
  throw new ApiError(404, 100114, "The domain does not exist.");
}

function findRoute(call: Call): RouteState {
  const [zone, id] = [param(call, "zone"), param(call, "route")];
  const found = call.edge.state.routes.find((route) => route.zone === zone && route.id === id);
  if (found) return found;
  throw new ApiError(404, 10020, "The route does not exist.");
}

function shownDomain(domain: DomainState): Json {
  return {
    id: domain.id,
    hostname: domain.hostname,
    service: domain.service,
    environment: domain.environment,
    zone_id: domain.zoneId,
    zone_name: domain.zoneName,
    cert_id: domain.certId,
  };
}

function shownRoute({ id, pattern, script }: RouteState): Json {
  return { id, pattern, ...(script !== undefined && { script }) };
}

function isHost(name: string): boolean {
  return /^(?=.{1,253}$)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,63}$/.test(name);
}

function idOf(zoneName: string): string {
  return createHash("md5").update(zoneName).digest("hex");
}
