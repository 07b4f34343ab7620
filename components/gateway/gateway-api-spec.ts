import type { GatewayApiSettings } from "../settings/gateway.ts";
import type { Backend } from "../storage/index.ts";

/**
 * The spec of a Gateway with an HTTPS listener for each host.
 * https://gateway-api.sigs.k8s.io/reference/spec/#gatewayspec
 */
export function gatewaySpec(className: string, secretName: string, backends: readonly Backend[]): object {
  return {
    gatewayClassName: className,
    listeners: backends.map(({ name, host }) => ({
      name,
      hostname: host,
      protocol: "HTTPS",
      port: 443,
      tls: { mode: "Terminate", certificateRefs: [{ group: "", kind: "Secret", name: secretName }] },
      allowedRoutes: { namespaces: { from: "Same" } },
    })),
  };
}

/**
 * The spec of the route to one backend. Gateway API has no limit on a body; its two time-outs are switched
 * off, since the default of some controllers (Envoy Gateway: 15 s) ends a large upload half way.
 */
export function routeSpec(
  parent: { name: string; namespace?: string; sectionName?: string },
  backend: Backend,
): object {
  return {
    parentRefs: [{ group: "gateway.networking.k8s.io", kind: "Gateway", ...parent }],
    hostnames: [backend.host],
    rules: [
      {
        matches: [{ path: { type: "PathPrefix", value: "/" } }],
        backendRefs: [{ group: "", kind: "Service", name: backend.service, port: backend.port, weight: 1 }],
        timeouts: { request: "0s", backendRequest: "0s" },
      },
    ],
  };
}

/** What a route to `backend` hangs on: a listener of the stack's own Gateway, or the one that is named. */
export function parentOf(
  settings: GatewayApiSettings,
  ownGateway: string,
  backend: Backend,
): { name: string; namespace?: string; sectionName?: string } {
  if (settings.parent === undefined) return { name: ownGateway, sectionName: backend.name };
  const { name, namespace, sectionName } = settings.parent;
  return { name, namespace, ...(sectionName !== undefined && { sectionName }) };
}
