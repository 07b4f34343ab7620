/** How often a running task says that it is still alive, in milliseconds: on a terminal, and in a log. */
const HEARTBEAT = { terminal: 200, log: 10_000 };

/** Says something of a running task, such as "downloading, 40 of 93 MB". It replaces what was said before. */
export type Say = (detail: string) => void;

/**
 * Shows on one stream what is being done. On a terminal a running task redraws its own line; in a log it
 * prints one line when it starts, one every ten seconds, and one when it ends. Tasks may run side by side.
 */
export class Progress {
  readonly #out: NodeJS.WriteStream;
  readonly #running = new Map<symbol, { title: string; detail: string; since: number; said: number }>();
  #timer: NodeJS.Timeout | undefined;
  #drawn = 0;

  constructor(out: NodeJS.WriteStream = process.stderr) {
    this.#out = out;
  }

  /** Prints a line that stays. */
  line(text: string): void {
    this.#erase();
    this.#out.write(`${text}\n`);
    this.#draw();
  }

  /**
   * Runs `work` and shows it until it ends.
   *
   * @param title what is done, without its state: "Kubernetes API server".
   * @returns what `work` returns; what it throws is thrown on.
   */
  async task<T>(title: string, work: (say: Say) => Promise<T>): Promise<T> {
    const key = Symbol(title);
    const entry = { title, detail: "", since: performance.now(), said: -Infinity };
    this.#running.set(key, entry);
    this.#start();
    try {
      const result = await work((detail) => {
        entry.detail = detail;
        if (this.#out.isTTY || performance.now() - entry.said < HEARTBEAT.log / 5) return;
        entry.said = performance.now();
        this.#out.write(`  … ${title}: ${detail}\n`);
      });
      this.#end(key, `  ✓ ${title} ${seconds(entry.since)}`);
      return result;
    } catch (error) {
      this.#end(key, `  ✗ ${title} ${seconds(entry.since)}`);
      throw error;
    }
  }

  #start(): void {
    this.#timer ??= setInterval(
      () => {
        if (this.#out.isTTY) {
          this.#erase();
          this.#draw();
        } else {
          for (const { title, since, detail } of this.#running.values())
            this.#out.write(`  … ${title} ${seconds(since)}${detail && `: ${detail}`}\n`);
        }
      },
      this.#out.isTTY ? HEARTBEAT.terminal : HEARTBEAT.log,
    );
  }

  #end(key: symbol, line: string): void {
    this.#running.delete(key);
    if (this.#running.size === 0) {
      clearInterval(this.#timer);
      this.#timer = undefined;
    }
    this.line(line);
  }

  #erase(): void {
    if (this.#drawn > 0) this.#out.write(`\u001b[${this.#drawn}A\u001b[0J`);
    this.#drawn = 0;
  }

  #draw(): void {
    if (!this.#out.isTTY) return;
    for (const { title, detail, since } of this.#running.values()) {
      const line = `  … ${title} ${seconds(since)}${detail && `: ${detail}`}`;
      this.#out.write(`${line.slice(0, this.#out.columns - 1)}\n`);
      this.#drawn += 1;
    }
  }
}

function seconds(since: number): string {
  return `(${((performance.now() - since) / 1000).toFixed(1)} s)`;
}
