import type { GatewayApiSettings } from "../settings/gateway.ts";
import type { Backend } from "../storage/index.ts";

/** The listener for plain HTTP: it sends clients on to HTTPS, and serves cert-manager's HTTP-01 challenges. */
const HTTP = "http";

/**
 * The spec of a Gateway with an HTTPS listener for each host, and one for plain HTTP.
 * https://gateway-api.sigs.k8s.io/reference/spec/#gatewayspec
 */
export function gatewaySpec(className: string, secretName: string, backends: readonly Backend[]): object {
  return {
    gatewayClassName: className,
    listeners: [
      ...backends.map(({ name, host }) => ({
        name,
        hostname: host,
        protocol: "HTTPS",
        port: 443,
        tls: { mode: "Terminate", certificateRefs: [{ group: "", kind: "Secret", name: secretName }] },
        allowedRoutes: { namespaces: { from: "Same" } },
      })),
      { name: HTTP, protocol: "HTTP", port: 80, allowedRoutes: { namespaces: { from: "Same" } } },
    ],
  };
}

/** The spec of the route that sends plain HTTP on to HTTPS. A challenge's own route is longer and so comes first. */
export function redirectSpec(ownGateway: string, backends: readonly Backend[]): object {
  return {
    parentRefs: [parentRef({ name: ownGateway, sectionName: HTTP })],
    hostnames: backends.map(({ host }) => host),
    rules: [
      {
        matches: [ANY_PATH],
        filters: [{ type: "RequestRedirect", requestRedirect: { scheme: "https", statusCode: 301 } }],
      },
    ],
  };
}

const ANY_PATH = { path: { type: "PathPrefix", value: "/" } };

/** What a route hangs on: a Gateway, or one listener of it. */
interface Parent {
  name: string;
  namespace?: string;
  sectionName?: string;
}

function parentRef(parent: Parent): object {
  return { group: "gateway.networking.k8s.io", kind: "Gateway", ...parent };
}

/**
 * The spec of the route to one backend. Gateway API has no limit on a body; its two time-outs are switched
 * off, since the default of some controllers (Envoy Gateway: 15 s) ends a large upload half way.
 */
export function routeSpec(parent: Parent, backend: Backend): object {
  return {
    parentRefs: [parentRef(parent)],
    hostnames: [backend.host],
    rules: [
      {
        matches: [ANY_PATH],
        backendRefs: [{ group: "", kind: "Service", name: backend.service, port: backend.port, weight: 1 }],
        timeouts: { request: "0s", backendRequest: "0s" },
      },
    ],
  };
}

/** What a route to `backend` hangs on: a listener of the stack's own Gateway, or the one that is named. */
export function parentOf(settings: GatewayApiSettings, ownGateway: string, backend: Backend): Parent {
  if (settings.parent === undefined) return { name: ownGateway, sectionName: backend.name };
  const { name, namespace, sectionName } = settings.parent;
  return { name, namespace, ...(sectionName !== undefined && { sectionName }) };
}
