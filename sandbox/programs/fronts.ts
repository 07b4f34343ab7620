import { Front } from "./front.ts";
import type { Played } from "./played.ts";
import type { World } from "./world.ts";

/** The fronts of the workloads that have one. */
export class Fronts {
  readonly #world: World;
  readonly #open = new Map<string, Promise<Front>>();

  constructor(world: World) {
    this.#world = world;
  }

  /** The port for all pods of a workload together; its front is opened where it is not yet. */
  async provide(name: string): Promise<number> {
    const { ports } = this.#world;
    const front = this.#open.get(name) ?? Front.open(name, ports, () => this.#targets(name));
    this.#open.set(name, front);
    await front;
    return ports.noted(name) ?? 0;
  }

  #targets(name: string): number[] {
    return this.#world
      .played()
      .filter(({ front, running }) => front === name && running.state === "ready")
      .flatMap(({ name: pod }) => this.#world.ports.noted(pod) ?? []);
  }

  /** Closes the fronts of workloads that are no more. */
  keep(played: readonly Played[]): void {
    const names = new Set(played.map(({ front }) => front));
    for (const [name, front] of this.#open) {
      if (names.has(name)) continue;
      this.#open.delete(name);
      void front.then((open) => {
        open.close();
      });
    }
  }
}
