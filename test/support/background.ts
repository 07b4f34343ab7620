import { type ChildProcess, spawn } from "node:child_process";
import { setTimeout as sleep } from "node:timers/promises";

/** How long a program may take to become ready, and to end, in milliseconds. */
const PATIENCE = 30_000;

export interface BackgroundSpec {
  command: string;
  args: readonly string[];
  /** All of its environment. */
  env?: Readonly<Record<string, string>>;
  /** The user that it runs as, where this process may choose. */
  owner?: { uid: number; gid: number };
  /** What it is asked to end by. */
  signal?: NodeJS.Signals;
  /** Asked again and again until it does not throw. */
  ready: () => Promise<unknown>;
}

/** A program that runs beside the tests, and ends with their process at the latest. */
export class Background {
  /** What it has said on both streams. */
  log = "";
  readonly pid: number;
  readonly #child: ChildProcess;
  readonly #signal: NodeJS.Signals;
  readonly #ended: Promise<void>;
  readonly #killWithUs = () => this.#child.kill("SIGKILL");

  private constructor({ command, args, env = {}, owner, signal = "SIGTERM" }: BackgroundSpec) {
    const child = spawn(command, args, {
      env: { PATH: process.env.PATH, ...env },
      stdio: ["ignore", "pipe", "pipe"],
      ...owner,
    });
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding("utf8").on("data", (text: string) => (this.log += text));
    this.#ended = new Promise((resolve) => {
      child.once("error", (error) => {
        this.log += error.message;
        resolve();
      });
      child.once("close", () => {
        resolve();
      });
    });
    process.once("exit", this.#killWithUs);
    this.#child = child;
    this.#signal = signal;
    this.pid = child.pid ?? 0;
  }

  /** @throws Error with what it said where it ends, or does not become ready. */
  static async start(spec: BackgroundSpec): Promise<Background> {
    const started = new Background(spec);
    const deadline = performance.now() + PATIENCE;
    for (;;) {
      const ready = await spec.ready().then(
        () => true,
        () => false,
      );
      if (ready && !started.hasEnded) return started;
      if (started.hasEnded || performance.now() > deadline) {
        await started.stop("SIGKILL");
        throw new Error(`${spec.command} did not become ready:\n${started.log}`);
      }
      await sleep(20);
    }
  }

  get hasEnded(): boolean {
    return this.#child.exitCode !== null || this.#child.signalCode !== null || this.#child.pid === undefined;
  }

  /** Asks it to end, and makes it where it does not. @returns its exit code, null where a signal ended it. */
  async stop(signal = this.#signal): Promise<number | null> {
    this.#child.kill(signal);
    const force = setTimeout(this.#killWithUs, PATIENCE);
    await this.#ended;
    clearTimeout(force);
    process.off("exit", this.#killWithUs);
    return this.#child.exitCode;
  }
}
