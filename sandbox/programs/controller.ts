import { appendFileSync } from "node:fs";
import { readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { Changes } from "./changes.ts";
import { Cluster } from "./cluster.ts";
import { allAddresses } from "./find.ts";
import { Forwards } from "./forwards.ts";
import { Fronts } from "./fronts.ts";
import { kindOf } from "./kinds/index.ts";
import { isOfJob, isPlaced, podName, type Pod } from "./objects.ts";
import { isOutside, Outside } from "./outside.ts";
import { Played } from "./played.ts";
import { Ports } from "./ports.ts";
import type { Tools } from "./program.ts";
import { writeStatus } from "./status.ts";
import { type RunAs, withoutRoot } from "./user.ts";
import { volumesFolder, type World } from "./world.ts";

/** How soon it goes on after a fault of its own, in milliseconds. */
const AGAIN = 1_000;

/** Runs what the pods of a cluster are, as processes of this machine, for as long as the pods are there. */
export class Controller implements World {
  readonly sandbox: string;
  readonly folder: string;
  readonly tools: Tools;
  readonly ports: Ports;
  readonly changes = new Changes();
  readonly cluster: Cluster;
  readonly forwards: Forwards;
  readonly fronts: Fronts = new Fronts(this);
  readonly outside: Outside = new Outside(this);
  readonly #played = new Map<string, Played>();
  /** What is being ended, which has to be before the daemon is. */
  readonly #ending = new Set<Promise<void>>();
  readonly #stop = new AbortController();
  #claims = "";
  #cleaned = false;
  #stopping = false;

  private constructor({ sandbox, folder, tools }: Pick<World, "sandbox" | "folder" | "tools">, ports: Ports) {
    this.sandbox = sandbox;
    this.folder = folder;
    this.tools = tools;
    this.ports = ports;
    this.cluster = new Cluster(join(sandbox, "control-plane/kubeconfig"), () => {
      this.changes.tell();
    });
    this.forwards = new Forwards(this.cluster);
  }

  static async in(args: Pick<World, "sandbox" | "folder" | "tools">): Promise<Controller> {
    return new Controller(args, await Ports.in(join(args.folder, "ports.json")));
  }

  played(): readonly Played[] {
    return [...this.#played.values()];
  }

  /** Runs until it is stopped. */
  async run(): Promise<void> {
    const following = this.cluster.follow(this.#stop.signal);
    while (!this.#stop.signal.aborted) {
      const change = this.changes.next();
      try {
        await this.#look();
        await change;
      } catch (error) {
        // A full disk, for one: the processes go on, and so does this.
        this.say("daemon", String(error));
        await sleep(AGAIN);
      }
    }
    await following;
  }

  async #look(): Promise<void> {
    if (this.cluster.synced) {
      this.#cleaned ||= await this.#clean();
      if (!this.#stopping) this.#reconcile();
      await this.#removeVolumes();
    }
    await writeStatus(this.folder, {
      pid: process.pid,
      programs: [...this.played().map((each) => each.status()), ...this.outside.status()],
      addresses: allAddresses(this),
    });
  }

  /** Ends all that runs, and then itself. */
  async stop(): Promise<void> {
    this.#stopping = true;
    const stopping = this.played().map(({ running }) => running.stop());
    await Promise.all([...stopping, this.outside.stop(), ...this.#ending]);
    this.#stop.abort();
    this.changes.tell();
  }

  async runAs(program: string, folder: string): Promise<RunAs> {
    const ways = [join(this.sandbox, ".."), this.sandbox, volumesFolder(this.sandbox), this.folder, folder];
    return await withoutRoot(program, ways);
  }

  say(name: string, text: string): void {
    try {
      appendFileSync(1, `${new Date().toISOString()} ${name}: ${text}\n`);
    } catch {
      // What cannot be said is no reason to stop.
    }
  }

  /**
   * Takes away what an earlier daemon left of pods that went while there was none.
   *
   * @returns whether that could be done.
   */
  async #clean(): Promise<boolean> {
    const pods = this.cluster.pods.objects;
    const names = new Set(pods.map(podName));
    for (const namespace of await readdir(this.folder, { withFileTypes: true })) {
      if (!namespace.isDirectory()) continue;
      for (const name of await readdir(join(this.folder, namespace.name))) {
        const pod = `${namespace.name}/${name}`;
        if (!names.has(pod)) await rm(join(this.folder, pod), { recursive: true, force: true });
      }
    }
    return await this.forwards.clean(pods).then(
      () => true,
      () => false,
    );
  }

  /** Starts what has come and ends what has gone. */
  #reconcile(): void {
    const there = new Set<string>();
    for (const pod of this.cluster.pods.objects.filter(wouldRun)) {
      for (const container of pod.spec?.containers ?? []) {
        const kind = kindOf(container);
        if (kind === undefined) continue;
        const key = `${pod.metadata?.uid ?? ""} ${container.name}`;
        there.add(key);
        if (!this.#played.has(key)) this.#played.set(key, new Played(this, pod, container, kind));
      }
    }
    for (const [key, played] of this.#played) {
      if (there.has(key)) continue;
      this.#played.delete(key);
      this.#end(played.end());
    }
    for (const unwanted of this.outside.unwanted()) this.#end(unwanted.stop());
    this.fronts.keep(this.played());
  }

  #end(work: Promise<void>): void {
    const noted = work
      .catch((error: unknown) => {
        this.say("daemon", error instanceof Error ? (error.stack ?? error.message) : String(error));
      })
      .finally(() => {
        this.#ending.delete(noted);
        this.changes.tell();
      });
    this.#ending.add(noted);
  }

  /** Removes the data of claims that are no more, once nothing writes there any more. */
  async #removeVolumes(): Promise<void> {
    const there = new Set(this.cluster.claims.objects.map(({ metadata }) => metadata?.uid ?? ""));
    const claims = [...there].sort().join();
    if (claims === this.#claims || this.#ending.size > 0) return;
    const volumes = volumesFolder(this.sandbox);
    for (const name of await readdir(volumes).catch(() => [] as string[])) {
      if (!there.has(name) && !isOutside(name))
        await rm(join(volumes, name), { recursive: true, force: true });
    }
    this.#claims = claims;
  }
}

/** Whether a node would run the containers of a pod; Jobs are complete for kwok before their processes are. */
function wouldRun(pod: Pod): boolean {
  return isPlaced(pod) && (isOfJob(pod) || !["Succeeded", "Failed"].includes(pod.status?.phase ?? ""));
}
