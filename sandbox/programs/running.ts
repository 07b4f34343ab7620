import type { ChildProcess } from "node:child_process";
import { open, writeFile } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { readIfThere } from "../support/files.ts";
import type { Changes } from "./changes.ts";
import { Fault, NotYet } from "./objects.ts";
import { digestOf, exit, start, terminate, writeFiles } from "./process.ts";
import type { Program, Run } from "./program.ts";
import type { RunAs } from "./user.ts";

/** How soon a process that ended is started again, and how late at most, in milliseconds. */
const BACK_OFF = { first: 250, last: 10_000 };
/** How often it is asked whether it answers, until it does, in milliseconds. */
const STEP = 50;
/** How often what waits looks again, if nothing changes before that, in milliseconds. */
const LOOK = 1_000;

export type State = "waiting" | "starting" | "ready" | "failing" | "ended";

/** What a program is, besides what it runs: all that stays when its plan changes. */
export interface RunningArgs {
  /** What its log and its messages call it. */
  name: string;
  log: string;
  /** The file that says that it has run to its end. */
  done: string;
  changes: Changes;
  /** What to run now. `fresh` says that nothing runs: what was read before is read again, and a taken port given up. */
  plan: (fresh: boolean) => Promise<Program>;
  /** Lays out what it runs on, before it starts. */
  lay: (runAs: RunAs) => Promise<void>;
  /** What it waits for besides the endpoints of its plan. */
  waitsFor: () => string | undefined;
  /** How programs run that refuse root. */
  runAs: (program: string) => Promise<RunAs>;
  say: (text: string) => void;
}

/** A program that is kept running: started when what it needs is there, and again when it ends or its plan changes. */
export class Running {
  readonly #args: RunningArgs;
  readonly #stop = new AbortController();
  readonly #ended: Promise<void>;
  #state: State = "waiting";
  #reason = "";
  #failures = 0;
  #active = false;

  constructor(args: RunningArgs) {
    this.#args = args;
    this.#ended = this.#live();
  }

  get state(): State {
    return this.#state;
  }

  /** With what it waits for or why it failed, and how often in a row it has. */
  status(): { state: State; reason: string; failures: number } {
    return { state: this.#state, reason: this.#reason, failures: this.#failures };
  }

  /** Whether a process of it may be writing its data. */
  get active(): boolean {
    return this.#active;
  }

  /** Ends it for good. */
  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#ended;
  }

  async #live(): Promise<void> {
    const { changes, done, say } = this.#args;
    if ((await readIfThere(done)) !== undefined) {
      this.#become("ended");
      return;
    }
    while (!this.#stop.signal.aborted && this.#state !== "ended") {
      const change = changes.next();
      try {
        const program = await this.#args.plan(true);
        const waits = program.after.find((endpoint) => !endpoint.isReady())?.name ?? this.#args.waitsFor();
        if (waits !== undefined) throw new NotYet(`it waits for ${waits}`);
        await this.#hold(program);
      } catch (error) {
        if (error instanceof NotYet) {
          if (this.#reason !== error.message) say(error.message);
          this.#become("waiting", error.message);
          await this.#pause(LOOK, change);
        } else {
          await this.#failed(error);
        }
      }
    }
  }

  /** What it does once it has all that it waited for. Others may wait for its end, because it has their volume. */
  async #hold(program: Program): Promise<void> {
    this.#active = true;
    try {
      await this.#run(program);
    } finally {
      this.#active = false;
      this.#args.changes.tell();
    }
  }

  /** Waits that long, or until something has changed, or it is told to stop. */
  async #pause(time: number, change?: Promise<void>): Promise<void> {
    const timer = sleep(time, undefined, { signal: this.#stop.signal }).catch(() => undefined);
    await (change ? Promise.race([timer, change]) : timer);
  }

  async #failed(error: unknown): Promise<void> {
    if (this.#stop.signal.aborted) return;
    const reason = error instanceof Error ? error.message : String(error);
    this.#failures += 1;
    this.#become("failing", reason);
    this.#args.say(error instanceof Fault ? reason : ((error as Error).stack ?? reason));
    await this.#pause(Math.min(BACK_OFF.first * 2 ** (this.#failures - 1), BACK_OFF.last));
  }

  /** Starts the program and stays with it until it ends, or has to. */
  async #run(program: Program): Promise<void> {
    const { name, lay, log, done, say } = this.#args;
    const runAs = program.refusesRoot ? await this.#args.runAs(program.command) : { prefix: [] };
    await lay(runAs);
    await writeFiles(program, runAs);
    const output = await open(log, "a", 0o600);
    try {
      const run: Run = async (command, args, options = {}) => {
        const child = start({ ...program, ...options, command, args }, runAs, {
          name,
          log: output.fd,
          stdin: "pipe",
        });
        child.stdin?.on("error", () => undefined).end(options.input ?? "");
        const stop = () => child.kill("SIGKILL");
        this.#stop.signal.addEventListener("abort", stop);
        const result = await exit(child);
        this.#stop.signal.removeEventListener("abort", stop);
        if (result !== "code 0") throw new Fault(`${command} ended with ${result}`);
      };
      this.#become("starting");
      await program.prepare?.(run);
      if (this.#stop.signal.aborted) return;
      const began = performance.now();
      const child = start(program, runAs, { name, log: output.fd, stdin: "ignore" });
      const ended = exit(child);
      say(`started as process ${child.pid ?? 0}`);
      void this.#watch(program, child);
      if (await this.#untilOver(program, ended)) {
        await terminate(child, ended, program.stopSignal);
        say("ended");
        return;
      }
      const result = await ended;
      if (program.once && result === "code 0") {
        await writeFile(done, "", { mode: 0o600 });
        this.#become("ended");
        say("is done");
        return;
      }
      if (performance.now() - began > BACK_OFF.last) this.#failures = 0;
      throw new Fault(`it ended with ${result}`);
    } finally {
      await output.close();
    }
  }

  /** Waits until the process ends by itself (false) or has to be ended: another plan, or no need of it (true). */
  async #untilOver(program: Program, ended: Promise<string>): Promise<boolean> {
    const digest = digestOf(program);
    const stopped = new Promise<"stop">((resolve) => {
      if (this.#stop.signal.aborted) resolve("stop");
      this.#stop.signal.addEventListener("abort", () => {
        resolve("stop");
      });
    });
    const over = Promise.race([ended.then(() => "end" as const), stopped]);
    for (;;) {
      const change = this.#args.changes.next().then(() => "change" as const);
      const what = await Promise.race([over, change]);
      if (what !== "change") return what === "stop";
      const next = await this.#args.plan(false).catch(() => undefined);
      if (next !== undefined && digestOf(next) !== digest) {
        this.#args.say("is started again with another configuration");
        return true;
      }
    }
  }

  /** Notes when it answers. */
  async #watch(program: Program, child: ChildProcess): Promise<void> {
    const runs = () => child.exitCode === null && child.signalCode === null && child.pid !== undefined;
    while (runs() && !((await program.answers?.()) ?? true)) await sleep(STEP);
    if (!runs() || this.#state !== "starting") return;
    this.#become("ready");
    this.#args.say("answers");
  }

  #become(state: State, reason = ""): void {
    if (this.#state === state && this.#reason === reason) return;
    this.#state = state;
    this.#reason = reason;
    this.#args.changes.tell();
  }
}
