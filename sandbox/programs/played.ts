import { rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { edgeAddresses } from "../edge/index.ts";
import type { PodContainer } from "./container.ts";
import { environmentOf, expand, type Sources } from "./environment.ts";
import { find } from "./find.ts";
import { atticMode, needsMigrations } from "./kinds/attic.ts";
import { Fault, hasStableName, NotYet, podName, workloadOf, type Container, type Pod } from "./objects.ts";
import type { Request, Requests } from "./outside.ts";
import { awsEndpoint, databaseRequest } from "./outside-programs.ts";
import type { Endpoint, Kind, Program, StoreRequest, Surroundings } from "./program.ts";
import { placeOf } from "./rewrite.ts";
import { Running } from "./running.ts";
import type { ProgramStatus } from "./status.ts";
import { makeFolder, type RunAs } from "./user.ts";
import { layOut, mountsOf, volumesOf } from "./volumes.ts";
import { volumesFolder, type World } from "./world.ts";

/** A container of a pod that is played by a process of this machine. */
export class Played {
  readonly pod: Pod;
  readonly container: Container;
  readonly kind: Kind;
  /** "namespace/pod/container". */
  readonly name: string;
  /** The port of its pod that it answers at. */
  readonly containerPort: number | undefined;
  /** The name of the front that it has together with the other pods of its workload. */
  readonly front: string | undefined;
  readonly running: Running;
  /** What it wants outside of the cluster. */
  requests: Requests = new Map();
  readonly #world: World;
  readonly #log: string;
  #sources: Sources | undefined;
  #it: PodContainer | undefined;
  /** The addresses that it was given in the cluster. */
  readonly #inside = new Set<string>();

  constructor(world: World, pod: Pod, container: Container, kind: Kind) {
    this.#world = world;
    this.pod = pod;
    this.container = container;
    this.kind = kind;
    this.name = `${podName(pod)}/${container.name}`;
    this.containerPort = kind.containerPort(container);
    if (kind.name === "attic" && this.containerPort !== undefined)
      this.front = `front ${this.namespace}/${workloadOf(pod)}`;
    this.#log = join(this.#podFolder, `${container.name}.log`);
    this.running = new Running({
      name: this.name,
      log: this.#log,
      done: join(this.#podFolder, `${container.name}.${this.uid}.done`),
      changes: world.changes,
      plan: (fresh) => this.#plan(fresh),
      lay: (runAs) => this.#lay(runAs),
      waitsFor: () => this.#waitsFor(),
      runAs: (program) => world.runAs(program, dirname(this.#podFolder)),
      say: (text) => {
        world.say(this.name, text);
      },
    });
  }

  get uid(): string {
    return this.pod.metadata?.uid ?? "";
  }

  get namespace(): string {
    return this.pod.metadata?.namespace ?? "";
  }

  /** The uids of the claims whose volumes it has. */
  get claims(): string[] {
    return this.#it?.volumes.flatMap(({ claim }) => claim ?? []) ?? [];
  }

  get #podFolder(): string {
    return join(this.#world.folder, podName(this.pod));
  }

  status(): ProgramStatus {
    const { name, kind, uid } = this;
    return {
      ...this.running.status(),
      name,
      kind: kind.name,
      uid,
      log: this.#log,
      port: this.#world.ports.noted(name),
    };
  }

  /** Ends it for good: its pod is gone. */
  async end(): Promise<void> {
    const { ports, forwards } = this.#world;
    await this.running.stop();
    if (!hasStableName(this.pod)) await ports.forget(this.name);
    // What is there of another pod of the same name by now is that one's.
    if (this.#world.played().some((other) => podName(other.pod) === podName(this.pod))) return;
    await forwards.remove(this.pod);
    await rm(this.#podFolder, { recursive: true, force: true });
  }

  async #plan(fresh: boolean): Promise<Program> {
    const { cluster, forwards } = this.#world;
    // As a kubelet reads them: when a container starts, and not while it runs.
    if (fresh || this.#sources === undefined) this.#sources = await cluster.sourcesOf(this.pod);
    this.#it = this.#containerWith(this.#sources);
    const asked: Requests = new Map();
    const surroundings = await this.#surroundings(fresh, asked);
    let program: Program;
    try {
      program = this.kind.plan(this.#it, surroundings);
      this.requests = asked;
    } catch (error) {
      // What runs may still be using what it asked for before.
      this.requests = new Map([...this.requests, ...asked]);
      throw error;
    }
    if (program.port !== undefined && this.containerPort !== undefined)
      await forwards.set(this.pod, this.containerPort, program.port);
    return program;
  }

  #containerWith(sources: Sources): PodContainer {
    const { pod, container } = this;
    const { sandbox, cluster } = this.#world;
    const env = environmentOf(container, pod, sources);
    const claimUid = (name: string) =>
      cluster.claims.objects.find(
        ({ metadata }) => metadata?.name === name && metadata.namespace === this.namespace,
      )?.metadata?.uid;
    const claims = volumesFolder(sandbox);
    const volumes = volumesOf({ pod, sources, folder: this.#podFolder, claims, claimUid });
    return {
      pod,
      container,
      env,
      command: (container.command ?? []).map((part) => expand(part, env)),
      args: (container.args ?? []).map((part) => expand(part, env)),
      volumes,
      mounts: mountsOf(container, volumes, env),
      folder: join(this.#podFolder, container.name),
    };
  }

  async #surroundings(fresh: boolean, asked: Requests): Promise<Surroundings> {
    const { tools } = this.#world;
    const port = this.containerPort === undefined ? 0 : await this.#port(fresh);
    const front = this.front === undefined ? undefined : await this.#world.fronts.provide(this.front);
    const cloudflare = await edgeAddresses(this.#world.sandbox);
    return {
      port,
      ...(front !== undefined && { front }),
      tools,
      server: (url) => this.#server(url),
      cloudflare: () => {
        if (cloudflare === undefined) throw new NotYet("nothing of Cloudflare is there yet");
        return cloudflare;
      },
      database: (url) => this.#endpoint(url, { kind: "postgres", ...databaseRequest(url) }, asked),
      store: (request: StoreRequest) =>
        this.#endpoint(request.endpoint ?? awsEndpoint(request.region), { kind: "s3", ...request }, asked),
    };
  }

  /** The port for its process; where none runs, it may have to be another than before. */
  async #port(fresh: boolean): Promise<number> {
    const { ports, changes } = this.#world;
    const noted = ports.noted(this.name);
    if (noted !== undefined && !fresh) return noted;
    const port = await ports.provide(this.name);
    if (port !== noted) changes.tell();
    return port;
  }

  #server(url: string): Endpoint {
    const { host = "", port = 0 } = placeOf(url) ?? {};
    const found = find(this.#world, host, port, this.namespace, "attic");
    if (found === undefined) throw new NotYet(`nothing answers for ${host}:${port}`);
    return found;
  }

  #endpoint(url: string, request: Request, asked: Requests): Endpoint {
    const place = placeOf(url);
    if (place === undefined) throw new Fault(`the address of its ${WHAT[request.kind]} is no URL`);
    const { host, port } = place;
    const found = find(this.#world, host, port, this.namespace, request.kind);
    if (found) {
      this.#inside.add(`${host}:${port}`);
      return found;
    }
    // A route that is being replaced leads nowhere for a moment; what it led to is still where the data is.
    if (this.#inside.has(`${host}:${port}`)) throw new NotYet(`nothing leads to ${host}:${port} any more`);
    return this.#world.outside.find(host, port, request, asked);
  }

  async #lay({ owner }: RunAs): Promise<void> {
    for (const folder of [this.#podFolder, join(this.#podFolder, "volumes"), this.#it?.folder])
      if (folder !== undefined) await makeFolder(folder, owner);
    await layOut(this.#it?.volumes ?? [], this.#it?.mounts ?? [], owner);
  }

  /** What it waits for besides what its plan names. */
  #waitsFor(): string | undefined {
    const others = this.#world.played().filter(({ uid }) => uid !== this.uid);
    const before = others.find(
      ({ running, claims }) => running.active && claims.some((claim) => this.claims.includes(claim)),
    );
    if (before) return `${podName(before.pod)}, which has its volume`;
    if (!needsMigrations(this.container)) return undefined;
    const migrations = others.find(
      ({ container, namespace, running }) =>
        atticMode(container) === "db-migrations" &&
        container.image === this.container.image &&
        namespace === this.namespace &&
        running.state !== "ended",
    );
    return migrations && `the migrations of ${podName(migrations.pod)}`;
  }
}

const WHAT = { postgres: "database", s3: "store" };
