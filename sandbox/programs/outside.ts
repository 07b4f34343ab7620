import { join } from "node:path";
import { addressOf } from "./find.ts";
import { NotYet, podName } from "./objects.ts";
import {
  databaseCertificate,
  type DatabaseRequest,
  layOutDatabase,
  outsideDatabase,
  outsideStore,
} from "./outside-programs.ts";
import type { Endpoint, StoreRequest } from "./program.ts";
import { Running } from "./running.ts";
import type { ProgramStatus } from "./status.ts";
import type { Played } from "./played.ts";
import { volumesFolder, type World } from "./world.ts";

/** How names begin of what is outside of the cluster. No namespace has a dot in its name, and no uid. */
const PREFIX = "outside.";

/** What a pod wants of something outside of the cluster. */
export type Request = ({ kind: "postgres" } & DatabaseRequest) | ({ kind: "s3" } & StoreRequest);

/** What pods want outside, by its name. */
export type Requests = Map<string, Request>;

interface Server {
  kind: Request["kind"];
  running: Running;
  log: string;
}

/** Whether a folder among the volumes is one of these and no claim's. */
export function isOutside(name: string): boolean {
  return name.startsWith(PREFIX);
}

/** The servers that a stack reaches outside of its cluster, played for as long as pods want them; their data stays. */
export class Outside {
  readonly #world: World;
  readonly #servers = new Map<string, Server>();

  constructor(world: World) {
    this.#world = world;
  }

  /** Where something outside is on this machine; `requests` is what a pod wants, to which this is added. */
  find(host: string, port: number, request: Request, requests: Requests): Endpoint {
    const name = `${PREFIX}${host}-${port}`;
    requests.set(name, request);
    const server = this.#servers.get(name) ?? this.#start(name, request.kind);
    this.#servers.set(name, server);
    const at = this.#world.ports.noted(name);
    if (at === undefined) throw new NotYet(`it waits for ${name}`);
    return {
      address: addressOf(request.kind, at),
      name,
      isReady: () => server.running.state === "ready",
      ...(request.kind === "postgres" && { certificate: databaseCertificate(this.#folder(name)) }),
    };
  }

  #folder(name: string): string {
    return join(volumesFolder(this.#world.sandbox), name);
  }

  #start(name: string, kind: Request["kind"]): Server {
    const { folder, changes, ports, tools } = this.#world;
    const data = this.#folder(name);
    const log = join(folder, `${name}.log`);
    const running = new Running({
      name,
      log,
      done: join(folder, `${name}.done`),
      changes,
      plan: async (fresh) => {
        const port = fresh ? await ports.provide(name) : (ports.noted(name) ?? 0);
        const wanted = this.#wanted(name);
        return kind === "postgres"
          ? outsideDatabase(
              data,
              port,
              wanted.filter((each) => each.kind === kind),
            )
          : outsideStore(
              data,
              port,
              wanted.filter((each) => each.kind === kind),
              tools,
            );
      },
      lay: async (runAs) => {
        if (kind === "postgres") await layOutDatabase(data, runAs);
      },
      waitsFor: () => undefined,
      runAs: (program) => this.#world.runAs(program, folder),
      say: (text) => {
        this.#world.say(name, text);
      },
    });
    return { kind, running, log };
  }

  /** What pods want of a server: the oldest pod's first, and each once. */
  #wanted(name: string): Request[] {
    const age = ({ pod }: Played) => `${pod.metadata?.creationTimestamp ?? ""} ${podName(pod)}`;
    const texts = [...this.#world.played()]
      .sort((a, b) => age(a).localeCompare(age(b)))
      .flatMap(({ requests }) => {
        const request = requests.get(name);
        return request === undefined ? [] : [JSON.stringify(request)];
      });
    return [...new Set(texts)].map((text) => JSON.parse(text) as Request);
  }

  /** Gives up what no pod wants any more. */
  unwanted(): Running[] {
    const wanted = new Set(this.#world.played().flatMap(({ requests }) => [...requests.keys()]));
    const over = [...this.#servers].filter(([name]) => !wanted.has(name));
    for (const [name] of over) this.#servers.delete(name);
    return over.map(([, { running }]) => running);
  }

  async stop(): Promise<void> {
    await Promise.all([...this.#servers.values()].map(({ running }) => running.stop()));
  }

  /** Each as a stack has it, and its port of this machine. */
  places(): { place: string; kind: Request["kind"]; port: number }[] {
    return [...this.#servers].flatMap(([name, { kind }]) => {
      const port = this.#world.ports.noted(name);
      return port === undefined
        ? []
        : [{ place: name.slice(PREFIX.length).replace(/-(\d+)$/, ":$1"), kind, port }];
    });
  }

  status(): ProgramStatus[] {
    return [...this.#servers].map(([name, { kind, running, log }]) => ({
      ...running.status(),
      name,
      kind,
      uid: "",
      log,
      port: this.#world.ports.noted(name),
    }));
  }
}
