import { spawn } from "node:child_process";
import { join } from "node:path";
import { ROOT } from "../../sandbox/paths.ts";

export interface Result {
  /** The exit code, or null where a signal ended it. */
  code: number | null;
  stdout: string;
  stderr: string;
}

export interface CommandOptions {
  cwd?: string;
  /** Added to this process' own environment; undefined takes a variable out. */
  env?: Readonly<Record<string, string | undefined>>;
  /** What it reads; nothing unless given. */
  input?: string;
}

/** A command that runs, in a process group of its own. */
export class Command {
  readonly pid: number;
  readonly result: Promise<Result>;
  /** What it has printed so far, on both streams. */
  printed = "";
  #ended = false;
  readonly #watchers = new Set<() => void>();

  constructor(
    command: string,
    args: readonly string[],
    { cwd = ROOT, env = {}, input = "" }: CommandOptions = {},
  ) {
    const child = spawn(command, args, {
      cwd,
      env: { ...process.env, ...env },
      stdio: "pipe",
      detached: true,
    });
    this.pid = child.pid ?? 0;
    child.stdin.on("error", () => undefined).end(input);
    const result: Result = { code: null, stdout: "", stderr: "" };
    for (const stream of ["stdout", "stderr"] as const) {
      child[stream].setEncoding("utf8").on("data", (text: string) => {
        result[stream] += text;
        this.printed += text;
        this.#wake();
      });
    }
    this.result = new Promise((resolve, reject) => {
      child.once("error", reject).once("close", (code) => {
        result.code = code;
        this.#ended = true;
        this.#wake();
        resolve(result);
      });
    });
  }

  get hasEnded(): boolean {
    return this.#ended;
  }

  /** Waits until it has printed something that matches. @throws Error where it ends without. */
  async untilPrinted(pattern: RegExp): Promise<void> {
    while (!pattern.test(this.printed)) {
      if (this.#ended) throw new Error(`It ended without printing ${pattern.source}:\n${this.printed}`);
      await new Promise<void>((resolve) => this.#watchers.add(resolve));
    }
  }

  /** Ends it and all that it started in its group, at once. */
  kill(): void {
    process.kill(-this.pid, "SIGKILL");
  }

  #wake(): void {
    for (const wake of this.#watchers) wake();
    this.#watchers.clear();
  }
}

export async function run(
  command: string,
  args: readonly string[],
  options?: CommandOptions,
): Promise<Result> {
  return await new Command(command, args, options).result;
}

/**
 * `npm start`, `npm stop` and the like, without npm, with the sandboxes in a folder of their own.
 *
 * @param place what the command line has to begin with, and what is added to the environment.
 */
export function sandboxCommand(
  sandboxes: string,
  args: readonly string[],
  place: { prefix?: readonly string[]; env?: CommandOptions["env"] } = {},
): Command {
  const line = [...(place.prefix ?? []), process.execPath, join(ROOT, "sandbox/run.mjs"), ...args];
  const [command = "", ...rest] = line;
  return new Command(command, rest, { env: { ATTIC_STACK_SANDBOX: sandboxes, ...place.env } });
}
