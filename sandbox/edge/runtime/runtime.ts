import { join } from "node:path";
import { build, stop } from "esbuild";
import type { Ports } from "../../programs/ports.ts";
import type { ScriptState, State } from "../state.ts";
import { inspectWorker } from "./inspect.ts";
import { restartWorkerd, startWorkerd, type Worker, type Workerd, type WorkerdOptions } from "./miniflare.ts";
import { analyticsWorkers, at, deployedWorker, s3Worker, type Services, workerName } from "./options.ts";

/** How often other ports are tried where somebody takes one between our looking and workerd's listening. */
const TRIES = 3;

/** The one workerd in which all Workers of a sandbox run, over the same buckets. */
export class Runtime {
  readonly #folder: string;
  readonly #ports: Ports;
  readonly #services: Services;
  readonly #readFile: (file: string) => Promise<Buffer>;
  readonly #s3: string;
  /** The ports that workerd has. */
  readonly #held = new Map<string, number>();
  #workerd: Workerd | undefined;

  private constructor(options: RuntimeOptions, s3: string) {
    this.#folder = options.folder;
    this.#ports = options.ports;
    this.#services = options.services;
    this.#readFile = options.readFile;
    this.#s3 = s3;
  }

  static async open(options: RuntimeOptions): Promise<Runtime> {
    const { outputFiles } = await build({
      entryPoints: [join(import.meta.dirname, "../s3/worker.ts")],
      bundle: true,
      write: false,
      format: "esm",
      target: "es2024",
      logLevel: "silent",
    });
    // Its service would stay for as long as the daemon.
    await stop();
    return new Runtime(options, outputFiles[0]?.text ?? "");
  }

  /** Runs what is deployed, and nothing else: workerd is started anew, which takes a tenth of a second. */
  async apply(state: State): Promise<void> {
    for (let left = TRIES; ; left--) {
      try {
        const options = await this.#options(state);
        if (this.#workerd) await restartWorkerd(this.#workerd, options);
        else this.#workerd = startWorkerd(options);
        await this.#workerd.ready;
        return;
      } catch (error) {
        await this.close();
        if (left === 0 || !/already in use|EADDRINUSE/i.test(String(error))) throw error;
      }
    }
  }

  /** Port of the S3 API. */
  get s3Port(): number {
    return this.#held.get("s3") ?? 0;
  }

  portOf(script: Pick<ScriptState, "account" | "name">): number | undefined {
    return this.#held.get(workerName(script));
  }

  /** Whether a Worker starts, and what it handles. */
  async inspect(script: ScriptState, state: State): Promise<string[]> {
    return await inspectWorker(await deployedWorker(script, state, this.#readFile));
  }

  /** Whether there is no object in a bucket. @param id of its state. */
  async isEmpty(id: string): Promise<boolean> {
    const response = await this.#workerd?.dispatchFetch(`http://s3/R2_${id}`);
    return ((await response?.json()) as { empty: boolean } | undefined)?.empty ?? true;
  }

  async close(): Promise<void> {
    await this.#workerd?.dispose();
    this.#workerd = undefined;
    this.#held.clear();
  }

  async #options(state: State): Promise<WorkerdOptions> {
    const workers: Worker[] = [];
    for (const script of state.scripts) {
      const port = await this.#port(workerName(script));
      workers.push(at(port, await deployedWorker(script, state, this.#readFile)));
    }
    return {
      r2Persist: join(this.#folder, "r2"),
      workers: [
        s3Worker(state, await this.#port("s3"), this.#s3, this.#services),
        ...analyticsWorkers(workers, this.#services),
        ...workers,
      ],
    };
  }

  async #port(name: string): Promise<number> {
    const port = this.#held.get(name) ?? (await this.#ports.provide(name));
    this.#held.set(name, port);
    return port;
  }
}

export interface RuntimeOptions {
  /** Where the buckets are kept. */
  folder: string;
  ports: Ports;
  services: Services;
  readFile: (file: string) => Promise<Buffer>;
}
