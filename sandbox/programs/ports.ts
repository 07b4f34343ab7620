import { readIfThere, writeFileAtomically } from "../support/files.ts";
import { anyFreePort, isPortFree } from "../support/port.ts";

/** The ports that programs had, so that they have the same ones again. */
export class Ports {
  readonly #file: string;
  readonly #ports: Map<string, number>;
  #last: Promise<unknown> = Promise.resolve();

  private constructor(file: string, ports: Map<string, number>) {
    this.#file = file;
    this.#ports = ports;
  }

  static async in(file: string): Promise<Ports> {
    const text = await readIfThere(file);
    return new Ports(file, new Map(Object.entries(JSON.parse(text ?? "{}") as Record<string, number>)));
  }

  /** The port of a program, whether it runs or not. */
  noted(name: string): number | undefined {
    return this.#ports.get(name);
  }

  /** A port for a program that does not run: the one it had, where that is free. */
  async provide(name: string): Promise<number> {
    return await this.#inTurn(async () => {
      const before = this.#ports.get(name);
      if (before !== undefined && (await isPortFree(before))) return before;
      const taken = new Set(this.#ports.values());
      let port = await anyFreePort();
      // Another program's port is free while that one does not run.
      while (taken.has(port)) port = await anyFreePort();
      this.#ports.set(name, port);
      await this.#write();
      return port;
    });
  }

  /** Forgets the port of what never comes again. */
  async forget(name: string): Promise<void> {
    await this.#inTurn(async () => {
      if (this.#ports.delete(name)) await this.#write();
    });
  }

  /** Two at once might choose the same port, and write the same file. */
  async #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#last.then(work);
    this.#last = turn.catch(() => undefined);
    return await turn;
  }

  async #write(): Promise<void> {
    await writeFileAtomically(
      this.#file,
      JSON.stringify(Object.fromEntries(this.#ports), undefined, 2),
      0o644,
    );
  }
}
