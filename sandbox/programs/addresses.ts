import type { Ingress, Pod, Service } from "./objects.ts";
import type { HttpRoute } from "./cluster.ts";

/** What in a cluster says which name leads where. */
export interface Directory {
  services: readonly Service[];
  routes: readonly HttpRoute[];
  ingresses: readonly Ingress[];
  pods: readonly Pod[];
}

/** A port of a Service. */
export interface ServicePort {
  service: Service;
  port: number;
}

/** Where a pod listens for a Service. */
export interface Backend {
  pod: Pod;
  containerPort: number;
}

/** Whether a name can only be that of a Service in this namespace: "name" or "name.namespace.svc". */
export function isNameIn(namespace: string, host: string): boolean {
  const [, of, svc] = host.split(".");
  return of === undefined || (of === namespace && svc === "svc");
}

/**
 * The port of a Service to which a name leads: a name of the Service itself, its address, or a public one that a route or
 * an Ingress publishes it under.
 *
 * @param namespace of who asks: short names are meant there.
 */
export function serviceAt(
  directory: Directory,
  host: string,
  port: number,
  namespace: string,
): ServicePort | undefined {
  const { services } = directory;
  const own = services.find((service) => isNameOf(service, host, namespace));
  if (own) return { service: own, port };
  const published = publishedAt(directory, host);
  const service = services.find(
    ({ metadata }) => metadata?.name === published?.name && metadata?.namespace === published?.namespace,
  );
  return service && published ? { service, port: published.port } : undefined;
}

function isNameOf({ metadata, spec }: Service, host: string, namespace: string): boolean {
  const name = metadata?.name ?? "";
  const full = `${name}.${metadata?.namespace ?? ""}`;
  const names = [full, `${full}.svc`, `${full}.svc.cluster.local`, `${full}.svc.cluster.local.`];
  if (metadata?.namespace === namespace) names.push(name);
  if (spec?.clusterIP !== undefined && spec.clusterIP !== "None") names.push(spec.clusterIP);
  return names.includes(host);
}

interface Published {
  name: string;
  namespace: string | undefined;
  port: number;
}

/** The Service that is published under a public name. One that only sends on to another address is none. */
function publishedAt({ routes, ingresses, services }: Directory, host: string): Published | undefined {
  for (const { metadata, spec } of routes) {
    if (!spec?.hostnames?.includes(host)) continue;
    const [ref] = (spec.rules ?? []).flatMap(({ backendRefs }) => backendRefs ?? []);
    if (ref) return { name: ref.name, namespace: ref.namespace ?? metadata?.namespace, port: ref.port ?? 0 };
  }
  for (const { metadata, spec } of ingresses) {
    const rule = spec?.rules?.find((each) => each.host === host);
    const ref = rule?.http?.paths[0]?.backend.service;
    if (!ref) continue;
    const service = services.find(
      (each) => each.metadata?.name === ref.name && each.metadata.namespace === metadata?.namespace,
    );
    const named = service?.spec?.ports?.find(({ name }) => name === ref.port?.name)?.port;
    return { name: ref.name, namespace: metadata?.namespace, port: ref.port?.number ?? named ?? 0 };
  }
  return undefined;
}

/** The pods behind a port of a Service, and the port of theirs that it leads to. */
export function backendsOf({ pods }: Pick<Directory, "pods">, { service, port }: ServicePort): Backend[] {
  const selector = service.spec?.selector;
  const entry = service.spec?.ports?.find((each) => each.port === port);
  if (selector === undefined || entry === undefined) return [];
  return pods
    .filter(({ metadata }) => metadata?.namespace === service.metadata?.namespace)
    .filter(({ metadata }) =>
      Object.entries(selector).every(([key, value]) => metadata?.labels?.[key] === value),
    )
    .flatMap((pod) => {
      const { targetPort = port } = entry as { targetPort?: number | string };
      const named = (pod.spec?.containers ?? [])
        .flatMap((container) => container.ports ?? [])
        .find(({ name }) => name === targetPort)?.containerPort;
      const containerPort = typeof targetPort === "number" ? targetPort : named;
      return containerPort === undefined ? [] : [{ pod, containerPort }];
    });
}

/** Every name and port under which the Services of a cluster are known, as "host:port". */
export function namesOf({
  services,
  routes,
  ingresses,
}: Directory): { host: string; port: number; namespace: string }[] {
  const inside = services.flatMap(({ metadata, spec }) =>
    (spec?.ports ?? []).map(({ port }) => ({
      host: `${metadata?.name ?? ""}.${metadata?.namespace ?? ""}.svc`,
      port,
      namespace: metadata?.namespace ?? "",
    })),
  );
  const hosts = [
    ...routes.flatMap(({ spec }) => spec?.hostnames ?? []),
    ...ingresses.flatMap(({ spec }) => (spec?.rules ?? []).flatMap(({ host }) => host ?? [])),
  ];
  return [...inside, ...[...new Set(hosts)].map((host) => ({ host, port: 443, namespace: "" }))];
}
