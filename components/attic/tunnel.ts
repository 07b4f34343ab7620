import { existsSync } from "node:fs";
import { Duplex, PassThrough, Writable } from "node:stream";
import type { KubeConfig, V1Pod, V1Service } from "@kubernetes/client-node";

/** The way to a Service of the cluster through the Kubernetes API, as `kubectl port-forward` goes it. */
export interface TunnelArgs {
  namespace: string;
  service: string;
  /** A kubeconfig's text or path; without it KUBECONFIG or ~/.kube/config. May hold secrets. */
  kubeconfig?: string;
  /** One of its contexts; without it the current one. */
  context?: string;
}

/** A tunnel that no further try will open: no such Service, or no permission. */
export class TunnelClosed extends Error {
  override readonly name = "TunnelClosed";
}

/** A pod behind the Service, and the port on which it listens. */
interface Place {
  pod: string;
  port: number;
}

/** Opens connections to the pods behind a Service. The Kubernetes client is loaded with the first: it is large. */
export class Tunnel {
  readonly #args: TunnelArgs;
  #config: Promise<KubeConfig> | undefined;
  #place: Promise<Place> | undefined;

  constructor(args: TunnelArgs) {
    this.#args = args;
  }

  /**
   * One connection to a pod that is ready.
   *
   * @throws TunnelClosed, or any other error where a later try may do better.
   */
  async connect(): Promise<Duplex> {
    this.#config ??= loadConfig(this.#args);
    const config = await this.#config;
    this.#place ??= findPlace(config, this.#args);
    try {
      const { pod, port } = await this.#place;
      const connection = await forward(config, this.#args.namespace, pod, port);
      connection.once("close", () => (this.#place = undefined));
      return connection;
    } catch (error) {
      // The next one looks for a pod again, also after one was closed: this pod may be gone, or about to go.
      this.#place = undefined;
      throw error;
    }
  }
}

async function loadConfig({ kubeconfig, context }: TunnelArgs): Promise<KubeConfig> {
  const { KubeConfig } = await import("@kubernetes/client-node");
  const config = new KubeConfig();
  try {
    if (kubeconfig === undefined) config.loadFromDefault();
    else if (existsSync(kubeconfig)) config.loadFromFile(kubeconfig);
    else config.loadFromString(kubeconfig);
  } catch {
    // What the parser says quotes the text, which may hold a secret.
    throw new TunnelClosed("the kubeconfig cannot be read");
  }
  if (context !== undefined) config.setCurrentContext(context);
  if (!config.getCurrentCluster())
    throw new TunnelClosed(
      context === undefined
        ? "the kubeconfig names no cluster"
        : `the kubeconfig has no context ${context} with a cluster`,
    );
  return config;
}

async function findPlace(config: KubeConfig, { namespace, service }: TunnelArgs): Promise<Place> {
  const { CoreV1Api } = await import("@kubernetes/client-node");
  const api = config.makeApiClient(CoreV1Api);
  const found = await ask(
    `get services in ${namespace}`,
    () => api.readNamespacedService({ namespace, name: service }),
    `the Service ${namespace}/${service}`,
  );
  const labels = Object.entries(found.spec?.selector ?? {});
  if (labels.length === 0)
    throw new TunnelClosed(`the Service ${namespace}/${service} has no selector, and so no pods`);
  const selector = labels.map(([key, value]) => `${key}=${value}`);
  const { items } = await ask(
    `list pods in ${namespace}`,
    () => api.listNamespacedPod({ namespace, labelSelector: selector.join(",") }),
    `the namespace ${namespace}`,
  );
  const ready = items.filter(isReady);
  const pod = ready[Math.floor(Math.random() * ready.length)];
  if (pod === undefined) throw new Error(`no pod of the Service ${namespace}/${service} is ready`);
  return { pod: pod.metadata?.name ?? "", port: targetPort(found, pod) };
}

async function ask<T>(permission: string, call: () => Promise<T>, what: string): Promise<T> {
  try {
    return await call();
  } catch (error) {
    const { code } = error as { code?: unknown };
    if (code === 401) throw new TunnelClosed("the cluster does not know the kubeconfig's user");
    if (code === 403) throw new TunnelClosed(`the kubeconfig's user may not ${permission}`);
    if (code === 404) throw new Error(`${what} is not there`);
    throw new Error(`the cluster's API failed: ${reason(error)}`, { cause: error });
  }
}

function isReady({ metadata, status }: V1Pod): boolean {
  const ready = status?.conditions?.some(({ type, status }) => type === "Ready" && status === "True");
  return ready === true && metadata?.deletionTimestamp === undefined;
}

/** The port of a pod's container to which the Service's first port leads. */
function targetPort({ spec }: V1Service, pod: V1Pod): number {
  const { targetPort: target, port = 80 } = spec?.ports?.[0] ?? {};
  if (typeof target === "number") return target;
  const ports = pod.spec?.containers.flatMap((container) => container.ports ?? []) ?? [];
  return ports.find(({ name }) => name === target)?.containerPort ?? port;
}

/** What is used of the WebSocket that the Kubernetes client gives, whose own types are not there. */
interface Socket {
  onclose: () => void;
  close(): void;
}

/** A WebSocket to the API server whose first stream is the connection, and whose second says what went wrong. */
async function forward(config: KubeConfig, namespace: string, pod: string, port: number): Promise<Duplex> {
  const { PortForward } = await import("@kubernetes/client-node");
  const fromPod = new PassThrough();
  const toPod = new PassThrough();
  let fault = "";
  const errors = new Writable({
    write: (data: Buffer, _encoding, done) => {
      fault += data.toString();
      if (fault !== "") connection.destroy(new Error(`the pod ${pod} does not answer on port ${port}`));
      done();
    },
  });
  const connection = asSocket(Duplex.from({ readable: fromPod, writable: toPod }));
  try {
    const forwarded = new PortForward(config).portForward(namespace, pod, [port], fromPod, errors, toPod);
    const socket = (await forwarded) as Socket;
    // The agent listens while a request is under way, and a connection that ends between two would end the process.
    connection.on("error", () => undefined);
    socket.onclose = () => fromPod.end();
    connection.on("close", () => {
      socket.close();
    });
    return connection;
  } catch (error) {
    const text = reason(error);
    if (/\b403\b/.test(text))
      throw new TunnelClosed(`the kubeconfig's user may not get and create pods/portforward in ${namespace}`);
    throw new Error(`no way to the pod ${pod}: ${text}`, { cause: error });
  }
}

/** Node's HTTP agent treats what it is given as a socket. */
function asSocket(stream: Duplex): Duplex {
  const same = () => stream;
  return Object.assign(stream, {
    setKeepAlive: same,
    setNoDelay: same,
    setTimeout: same,
    ref: same,
    unref: same,
  });
}

function reason(error: unknown): string {
  const { message, cause } = error as { message?: string; cause?: { code?: string; message?: string } };
  if (cause?.code === "ECONNREFUSED") return "nobody listens there";
  // Of a failed call the client prints the whole body; its first line says enough, or what is behind it.
  return (cause?.message ?? message ?? String(error)).split("\n")[0] ?? "";
}
