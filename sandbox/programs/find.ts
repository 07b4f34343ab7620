import { backendsOf, isNameIn, namesOf, serviceAt } from "./addresses.ts";
import { isPlaced, NotYet, podName } from "./objects.ts";
import type { Played } from "./played.ts";
import type { Endpoint, ProgramKind } from "./program.ts";
import type { Address } from "./rewrite.ts";
import type { World } from "./world.ts";

/**
 * What in the cluster has a name, or undefined where nothing has.
 *
 * @param namespace of who asks.
 * @param kind of what is asked for.
 * @throws NotYet where the name can only be that of a Service in the namespace, where nothing answers behind it yet, and
 *   for a moment where a store is in the namespace and the name does not lead there: its route may be about to come.
 */
export function find(
  world: World,
  host: string,
  port: number,
  namespace: string,
  kind?: ProgramKind,
): Endpoint | undefined {
  const directory = directoryOf(world);
  const found = serviceAt(directory, host, port, namespace);
  const name = `${host}:${port}`;
  if (found === undefined) {
    if (isNameIn(namespace, host)) throw new NotYet(`there is no Service ${name}`);
    const store = (each: Played) => each.kind.name === "s3" && each.namespace === namespace;
    if (kind === "s3" && world.played().some(store) && isNew(`${namespace} ${name}`))
      throw new NotYet(`no route and no Ingress leads from ${name} to a Service`);
    return undefined;
  }
  asked.delete(`${namespace} ${name}`);
  const backends = backendsOf(directory, found).flatMap(({ pod, containerPort }) =>
    world.played().filter((each) => each.uid === pod.metadata?.uid && each.containerPort === containerPort),
  );
  const [first] = backends;
  const at = first && world.ports.noted(first.front ?? first.name);
  if (first === undefined || at === undefined) throw new NotYet(`nothing answers for ${name}`);
  return {
    address: addressOf(first.kind.name, at),
    name: `${podName(first.pod)} (${name})`,
    isReady: () => backends.some(({ running }) => running.state === "ready"),
  };
}

/** How long a route may take to come after what it leads to, in milliseconds. A store that is replaced leads nowhere. */
const PATIENCE = 5_000;
const asked = new Map<string, number>();

function isNew(question: string): boolean {
  const first = asked.get(question) ?? performance.now();
  asked.set(question, first);
  return performance.now() - first < PATIENCE;
}

/** PostgreSQL's certificates are for localhost; HTTP is signed and asked for by number. */
export function addressOf(kind: ProgramKind, port: number): Address {
  return { host: kind === "postgres" ? "localhost" : "127.0.0.1", port };
}

/** By "host:port" as the stack has it, the "host:port" of this machine. */
export function allAddresses(world: World): Record<string, string> {
  const addresses: Record<string, string> = {};
  const note = (place: string, { host, port }: Address) => {
    addresses[place] = `${host}:${port}`;
  };
  for (const { host, port, namespace } of namesOf(directoryOf(world))) {
    try {
      const endpoint = find(world, host, port, namespace);
      if (endpoint) note(`${host}:${port}`, endpoint.address);
    } catch (error) {
      if (!(error instanceof NotYet)) throw error;
    }
  }
  for (const { place, kind, port } of world.outside.places()) note(place, addressOf(kind, port));
  return addresses;
}

function directoryOf({ cluster: { services, routes, ingresses, pods } }: World) {
  return {
    services: services.objects,
    routes: routes.objects,
    ingresses: ingresses.objects,
    pods: pods.objects.filter(isPlaced),
  };
}
