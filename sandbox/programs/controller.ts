import { appendFileSync } from "node:fs";
import { mkdir, readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import type { V1Container, V1Pod } from "@kubernetes/client-node";
import { backendsOf, isClusterName, namesOf, serviceAt } from "./addresses.ts";
import { Changes } from "./changes.ts";
import { Cluster } from "./cluster.ts";
import { environmentOf, expand, type Sources } from "./environment.ts";
import { Forwards } from "./forwards.ts";
import { Front } from "./front.ts";
import { atticMode } from "./kinds/attic.ts";
import { kindOf } from "./kinds/index.ts";
import { hasStableName, isOfJob, isPlaced, NotYet, podName, workloadOf } from "./objects.ts";
import {
  awsEndpoint,
  databaseCertificate,
  type DatabaseRequest,
  databaseRequest,
  layOutDatabase,
  outsideDatabase,
  outsideStore,
} from "./outside.ts";
import { Ports } from "./ports.ts";
import type { Endpoint, Kind, PodContainer, Program, StoreRequest, Surroundings, Tools } from "./program.ts";
import { type Address, placeOf } from "./rewrite.ts";
import { Running } from "./running.ts";
import { type ProgramStatus, writeStatus } from "./status.ts";
import { makeFolder, type RunAs, withoutRoot } from "./user.ts";
import { layOut, mountsOf, volumesOf } from "./volumes.ts";

export interface ControllerArgs {
  /** The folder of the stack's sandbox, absolute. */
  sandbox: string;
  /** The daemon's own folder in it. */
  folder: string;
  tools: Tools;
}

/** A container that is played. */
interface Played {
  pod: V1Pod;
  container: V1Container;
  kind: Kind;
  running: Running;
  log: string;
  /** The name that its port is kept under. */
  portName: string;
  /** The names of what it uses outside of the cluster, and what it wants there. */
  outside: Map<string, DatabaseRequest | StoreRequest>;
  claims: readonly string[];
}

/** Something outside of the cluster that is played. */
interface Outside {
  kind: "postgres" | "s3";
  running: Running;
  log: string;
}

/** Runs what the pods of a cluster are, as processes of this machine, for as long as the pods are there. */
export class Controller {
  readonly #args: ControllerArgs;
  readonly #changes = new Changes();
  readonly #cluster: Cluster;
  readonly #forwards: Forwards;
  readonly #played = new Map<string, Played>();
  readonly #outside = new Map<string, Outside>();
  readonly #fronts = new Map<string, Promise<Front>>();
  readonly #ending = new Set<Promise<void>>();
  readonly #ports: Ports;
  readonly #stop = new AbortController();
  #known = "";

  private constructor(args: ControllerArgs, ports: Ports) {
    this.#args = args;
    this.#ports = ports;
    const kubeconfig = join(args.sandbox, "control-plane/kubeconfig");
    this.#cluster = new Cluster(kubeconfig, () => {
      this.#changes.tell();
    });
    this.#forwards = new Forwards(() => this.#cluster.api());
  }

  static async in(args: ControllerArgs): Promise<Controller> {
    return new Controller(args, await Ports.in(join(args.folder, "ports.json")));
  }

  /** Runs until it is stopped. */
  async run(): Promise<void> {
    const following = this.#cluster.follow(this.#stop.signal);
    let cleaned = false;
    while (!this.#stop.signal.aborted) {
      const change = this.#changes.next();
      if (this.#cluster.synced) {
        cleaned ||= await this.#clean();
        this.#reconcile();
        await this.#removeVolumes().catch((error: unknown) => {
          this.#say("volumes", String(error));
        });
      }
      await this.#tell();
      await change;
    }
    await following;
  }

  /** Ends all that runs, and then itself. */
  async stop(): Promise<void> {
    const all = [...this.#played.values(), ...this.#outside.values()];
    await Promise.all([...all.map(({ running }) => running.stop()), ...this.#ending]);
    for (const front of this.#fronts.values()) (await front).close();
    this.#stop.abort();
    this.#changes.tell();
  }

  async #clean(): Promise<boolean> {
    try {
      await this.#forwards.clean(this.#cluster.pods.objects);
      return true;
    } catch {
      this.#cluster.lost();
      return false;
    }
  }

  /** Starts what has come and ends what has gone. */
  #reconcile(): void {
    const wanted = new Set<string>();
    for (const pod of this.#cluster.pods.objects) {
      const over = ["Succeeded", "Failed"].includes(pod.status?.phase ?? "") && !isOfJob(pod);
      if (!isPlaced(pod) || over) continue;
      for (const container of pod.spec?.containers ?? []) {
        const kind = kindOf(container);
        if (kind === undefined) continue;
        const name = `${podName(pod)}/${container.name}`;
        const key = `${name} ${pod.metadata?.uid ?? ""}`;
        wanted.add(key);
        const played = this.#played.get(key);
        if (played) played.pod = pod;
        else this.#played.set(key, this.#play(name, pod, container, kind));
      }
    }
    for (const [key, played] of this.#played) {
      if (wanted.has(key)) continue;
      this.#played.delete(key);
      this.#end(played);
    }
    const used = new Set([...this.#played.values()].flatMap(({ outside }) => [...outside.keys()]));
    for (const [name, { running }] of this.#outside) {
      if (used.has(name)) continue;
      this.#outside.delete(name);
      this.#keep(running.stop());
    }
    const workloads = new Set([...this.#played.values()].map(frontName));
    for (const [name, front] of this.#fronts) {
      if (workloads.has(name)) continue;
      this.#fronts.delete(name);
      this.#keep(
        front.then((open) => {
          open.close();
        }),
      );
    }
  }

  #end({ pod, running, portName }: Played): void {
    this.#keep(
      running.stop().then(async () => {
        if (!hasStableName(pod)) await this.#ports.forget(portName);
        const [namespace = "", name = ""] = podName(pod).split("/");
        const again = [...this.#played.values()].some((other) => podName(other.pod) === podName(pod));
        // What another pod of the same name has there by now is its own.
        if (again) return;
        await this.#forwards.remove(pod);
        await rm(join(this.#args.folder, namespace, name, "volumes"), { recursive: true, force: true });
      }),
    );
  }

  /** Waits for what ends when the daemon ends. */
  #keep(work: Promise<void>): void {
    const kept = work
      .catch((error: unknown) => {
        this.#say("end", error instanceof Error ? error.message : String(error));
      })
      .finally(() => {
        this.#ending.delete(kept);
        this.#changes.tell();
      });
    this.#ending.add(kept);
  }

  #play(name: string, pod: V1Pod, container: V1Container, kind: Kind): Played {
    const podFolder = join(this.#args.folder, podName(pod));
    const folder = join(podFolder, container.name);
    const log = join(podFolder, `${container.name}.log`);
    let sources: Sources | undefined;
    let it: PodContainer | undefined;
    const played: Omit<Played, "running"> = {
      pod,
      container,
      kind,
      log,
      portName: name,
      outside: new Map(),
      claims: [],
    };
    const running = new Running({
      name,
      log,
      done: join(podFolder, `${container.name}.${pod.metadata?.uid ?? ""}.done`),
      changes: this.#changes,
      plan: async (fresh) => {
        if (fresh) sources = undefined;
        sources ??= await this.#cluster.sourcesOf(pod);
        it = this.#containerOf(pod, container, sources, podFolder, folder);
        played.claims = it.volumes.flatMap(({ claim }) => claim ?? []);
        const program = kind.plan(it, await this.#surroundings(played, fresh));
        const containerPort = kind.containerPort(container);
        if (program.port !== undefined && containerPort !== undefined)
          await this.#forwards.set(pod, containerPort, program.port);
        return program;
      },
      lay: async ({ owner }) => {
        for (const each of [podFolder, join(podFolder, "volumes"), folder]) await makeFolder(each, owner);
        await layOut(it?.volumes ?? [], it?.mounts ?? [], owner);
      },
      waitsFor: () => this.#whatFor(played),
      runAs: (program) => this.#runAs(program),
      say: (text) => {
        this.#say(name, text);
      },
    });
    return Object.assign(played, { running });
  }

  #containerOf(
    pod: V1Pod,
    container: V1Container,
    sources: Sources,
    podFolder: string,
    folder: string,
  ): PodContainer {
    const env = environmentOf(container, pod, sources);
    const volumes = volumesOf({
      pod,
      sources,
      folder: podFolder,
      claims: join(this.#args.sandbox, "volumes"),
      claimUid: (name) =>
        this.#cluster.claims.objects.find(
          ({ metadata }) => metadata?.name === name && metadata.namespace === pod.metadata?.namespace,
        )?.metadata?.uid,
    });
    return {
      pod,
      container,
      env,
      command: (container.command ?? []).map((part) => expand(part, env)),
      args: (container.args ?? []).map((part) => expand(part, env)),
      volumes,
      mounts: mountsOf(container, volumes, env),
      folder,
    };
  }

  /** What a container waits for besides what its plan names. */
  #whatFor(played: Omit<Played, "running">): string | undefined {
    const others = [...this.#played.values()].filter(
      ({ pod }) => pod.metadata?.uid !== played.pod.metadata?.uid,
    );
    for (const other of others) {
      if (other.running.active && other.claims.some((claim) => played.claims.includes(claim)))
        return `${podName(other.pod)}, which has its volume`;
    }
    if (!["api-server", "garbage-collector", "monolithic"].includes(atticMode(played.container) ?? ""))
      return undefined;
    const migrations = others.find(
      ({ container, pod, running }) =>
        atticMode(container) === "db-migrations" &&
        container.image === played.container.image &&
        pod.metadata?.namespace === played.pod.metadata?.namespace &&
        running.state !== "ended",
    );
    return migrations && `the migrations of ${podName(migrations.pod)}`;
  }

  async #surroundings(played: Omit<Played, "running">, fresh: boolean): Promise<Surroundings> {
    const noted = this.#ports.noted(played.portName);
    const answers = played.kind.containerPort(played.container) !== undefined;
    const port =
      noted !== undefined && (!fresh || !answers)
        ? noted
        : answers
          ? await this.#ports.provide(played.portName)
          : 0;
    if (port !== noted) this.#changes.tell();
    const namespace = played.pod.metadata?.namespace ?? "";
    const outside = new Map<string, DatabaseRequest | StoreRequest>();
    played.outside = outside;
    const front = played.kind.name === "attic" && answers ? await this.#front(played) : undefined;
    return {
      port,
      ...(front !== undefined && { front }),
      tools: this.#args.tools,
      database: (url) => {
        const place = placeOf(url);
        if (place === undefined) throw new NotYet("the database's URL is no URL");
        return (
          this.#find(place.host, place.port, namespace, ["postgres"]) ??
          this.#fromOutside(`${place.host}-${place.port}`, "postgres", databaseRequest(url), outside)
        );
      },
      store: (request) => {
        const place = placeOf(request.endpoint ?? awsEndpoint(request.region));
        if (place === undefined) throw new NotYet("the store's endpoint is no URL");
        return (
          this.#find(place.host, place.port, namespace, ["s3"]) ??
          this.#fromOutside(`${place.host}-${place.port}`, "s3", request, outside)
        );
      },
    };
  }

  /**
   * What in the cluster has a name, or undefined where nothing has.
   *
   * @throws NotYet where only the cluster could know it, or has what is asked for and no way to it by that name.
   */
  #find(host: string, port: number, namespace: string, kinds: readonly string[]): Endpoint | undefined {
    const found = serviceAt(this.#directory, host, port, namespace);
    const name = `${host}:${port}`;
    if (found === undefined) {
      const here = [...this.#played.values()].some(
        ({ kind, pod }) => kinds.includes(kind.name) && pod.metadata?.namespace === namespace,
      );
      if (isClusterName(host)) throw new NotYet(`there is no Service ${name}`);
      if (here) throw new NotYet(`no route and no Ingress leads from ${name} to a Service`);
      return undefined;
    }
    const backends = backendsOf(this.#directory, found).flatMap(({ pod, containerPort }) =>
      [...this.#played.values()].filter(
        (played) =>
          played.pod.metadata?.uid === pod.metadata?.uid &&
          played.kind.containerPort(played.container) === containerPort,
      ),
    );
    const [first] = backends;
    const at = first && this.#ports.noted(first.kind.name === "attic" ? frontName(first) : first.portName);
    if (first === undefined || at === undefined) throw new NotYet(`nothing answers for ${name}`);
    return {
      address: addressOf(first.kind.name, at),
      name: `${podName(first.pod)} (${name})`,
      isReady: () => backends.some(({ running }) => running.state === "ready"),
    };
  }

  get #directory() {
    const { services, routes, ingresses, pods } = this.#cluster;
    return {
      services: services.objects,
      routes: routes.objects,
      ingresses: ingresses.objects,
      pods: pods.objects.filter(isPlaced),
    };
  }

  #fromOutside(
    place: string,
    kind: "postgres" | "s3",
    request: DatabaseRequest | StoreRequest,
    outside: Map<string, DatabaseRequest | StoreRequest>,
  ): Endpoint {
    // A namespace has no dot in its name, so that no pod's folder is called so.
    const name = `outside.${kind}.${place}`;
    outside.set(name, request);
    const played = this.#outside.get(name) ?? this.#playOutside(name, kind);
    this.#outside.set(name, played);
    const port = this.#ports.noted(name);
    if (port === undefined) throw new NotYet(`it waits for ${name}`);
    const certificate = kind === "postgres" ? databaseCertificate(this.#outsideFolder(name)) : undefined;
    return {
      address: addressOf(kind, port),
      name,
      isReady: () => played.running.state === "ready",
      ...(certificate !== undefined && { certificate }),
    };
  }

  #outsideFolder(name: string): string {
    return join(this.#args.sandbox, "volumes", name);
  }

  #playOutside(name: string, kind: "postgres" | "s3"): Outside {
    const data = this.#outsideFolder(name);
    const log = join(this.#args.folder, `${name}.log`);
    const running = new Running({
      name,
      log,
      done: join(this.#args.folder, `${name}.done`),
      changes: this.#changes,
      plan: async (fresh): Promise<Program> => {
        const port = fresh ? await this.#ports.provide(name) : (this.#ports.noted(name) ?? 0);
        const requests = this.#requestsFor(name);
        return kind === "postgres"
          ? outsideDatabase(data, port, requests as DatabaseRequest[])
          : outsideStore(data, port, requests as StoreRequest[], this.#args.tools);
      },
      lay: async (runAs) => {
        if (kind === "postgres") await layOutDatabase(data, runAs);
      },
      waitsFor: () => undefined,
      runAs: (program) => this.#runAs(program),
      say: (text) => {
        this.#say(name, text);
      },
    });
    return { kind, running, log };
  }

  /** What pods want of something outside: the oldest pod's first, and each once. */
  #requestsFor(name: string): (DatabaseRequest | StoreRequest)[] {
    const age = ({ pod }: Played) => String(pod.metadata?.creationTimestamp ?? "");
    const texts = [...this.#played.values()]
      .sort((a, b) => age(a).localeCompare(age(b)) || podName(a.pod).localeCompare(podName(b.pod)))
      .flatMap(({ outside }) => {
        const request = outside.get(name);
        return request === undefined ? [] : [JSON.stringify(request)];
      });
    return [...new Set(texts)].map((text) => JSON.parse(text) as DatabaseRequest | StoreRequest);
  }

  /** The port for all pods of an API server's workload. */
  async #front(played: Omit<Played, "running">): Promise<number | undefined> {
    const name = frontName(played);
    const targets = () =>
      [...this.#played.values()]
        .filter((each) => frontName(each) === name && each.running.state === "ready")
        .flatMap(({ portName }) => this.#ports.noted(portName) ?? []);
    const front = this.#fronts.get(name) ?? Front.open(name, this.#ports, targets);
    this.#fronts.set(name, front);
    await front;
    return this.#ports.noted(name);
  }

  async #runAs(program: string): Promise<RunAs> {
    const { sandbox, folder } = this.#args;
    const volumes = join(sandbox, "volumes");
    await mkdir(volumes, { recursive: true, mode: 0o700 });
    const namespaces = await readdir(folder, { withFileTypes: true });
    const folders = namespaces.filter((entry) => entry.isDirectory()).map(({ name }) => join(folder, name));
    return await withoutRoot(program, [join(sandbox, ".."), sandbox, volumes, folder, ...folders]);
  }

  /** Removes the data of claims that are no more. */
  async #removeVolumes(): Promise<void> {
    const volumes = join(this.#args.sandbox, "volumes");
    const there = new Set(this.#cluster.claims.objects.map(({ metadata }) => metadata?.uid ?? ""));
    const known = [...there].sort().join();
    if (known === this.#known || this.#ending.size > 0) return;
    for (const name of await readdir(volumes).catch(() => [] as string[])) {
      if (!there.has(name) && !name.startsWith("outside."))
        await rm(join(volumes, name), { recursive: true, force: true });
    }
    this.#known = known;
  }

  async #tell(): Promise<void> {
    const programs: ProgramStatus[] = [
      ...[...this.#played.values()].map(({ pod, kind, running, log, portName }) => ({
        name: portName,
        kind: kind.name,
        uid: pod.metadata?.uid ?? "",
        ...statusOf(running, log, this.#ports.noted(portName)),
      })),
      ...[...this.#outside].map(([name, { kind, running, log }]) => ({
        name,
        kind,
        uid: "",
        ...statusOf(running, log, this.#ports.noted(name)),
      })),
    ];
    await writeStatus(this.#args.folder, { pid: process.pid, programs, addresses: this.#addresses() });
  }

  #addresses(): Record<string, string> {
    const addresses: Record<string, string> = {};
    for (const { host, port, namespace } of namesOf(this.#directory)) {
      try {
        const { address } = this.#find(host, port, namespace, []) ?? {};
        if (address) addresses[`${host}:${port}`] = `${address.host}:${address.port}`;
      } catch (error) {
        if (!(error instanceof NotYet)) throw error;
      }
    }
    for (const [name, { kind }] of this.#outside) {
      const port = this.#ports.noted(name);
      const place = name.slice(`outside.${kind}.`.length).replace(/-(\d+)$/, ":$1");
      if (port !== undefined) addresses[place] = `${addressOf(kind, port).host}:${port}`;
    }
    return addresses;
  }

  #say(name: string, text: string): void {
    appendFileSync(1, `${new Date().toISOString()} ${name}: ${text}\n`);
  }
}

/** PostgreSQL's certificates are for localhost; HTTP is signed and asked for by number. */
function addressOf(kind: string, port: number): Address {
  return { host: kind === "postgres" ? "localhost" : "127.0.0.1", port };
}

function frontName({ pod, kind, container }: Pick<Played, "pod" | "kind" | "container">): string {
  if (kind.name !== "attic" || kind.containerPort(container) === undefined) return "";
  return `front ${pod.metadata?.namespace ?? ""}/${workloadOf(pod)}`;
}

function statusOf({ state, reason, failures }: Running, log: string, port: number | undefined) {
  return { state, reason, failures, log, ...(port !== undefined && { port }) };
}
