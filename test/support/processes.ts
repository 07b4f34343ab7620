import { readdirSync, readFileSync } from "node:fs";

export interface Process {
  pid: number;
  /** Its arguments, with blanks between them. */
  command: string;
  /** Its environment as the kernel shows it; empty where it belongs to another user. */
  environment: string;
}

/** Every process of this machine, but this one. */
export function processes(): Process[] {
  return readdirSync("/proc")
    .map(Number)
    .filter((pid) => pid > 0 && pid !== process.pid)
    .flatMap((pid) => {
      const command = read(pid, "cmdline").replaceAll("\0", " ").trim();
      // A process that has ended and is not yet looked at has no arguments.
      return command === "" ? [] : [{ pid, command, environment: read(pid, "environ") }];
    });
}

/** The processes that have to do with a folder, by their arguments or their environment. */
export function processesOf(folder: string): Process[] {
  return processes().filter(
    ({ command, environment }) => command.includes(folder) || environment.includes(folder),
  );
}

function read(pid: number, file: string): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, "utf8");
  } catch {
    return "";
  }
}

/** Notes the arguments of every process of this machine for as long as it is watching. */
export class ArgumentWatch {
  readonly #seen = new Set<string>();
  readonly #timer: NodeJS.Timeout;

  constructor() {
    this.#timer = setInterval(() => {
      for (const { command } of processes()) this.#seen.add(command);
    }, 20);
  }

  /** @returns the arguments that were seen, one process a line. */
  stop(): string {
    clearInterval(this.#timer);
    return [...this.#seen].join("\n");
  }
}
