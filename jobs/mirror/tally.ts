import type { CacheStatus } from "../../components/edge/layout.ts";
import type { Log } from "./log.ts";
import { wordsOf } from "./trouble.ts";

type Counts = Pick<CacheStatus, "added" | "removed" | "failed">;

/** How many failures are told one by one. */
const MOST_TOLD = 100;

/** What a run does, counted by cache. */
export class Tally {
  readonly #log: Log;
  readonly #counts = new Map<string, Counts>();
  /** When the oldest path that is not at the edge came to the server, by cache. */
  readonly #oldest = new Map<string, number>();
  /** What went wrong, beside paths. */
  problems = 0;

  constructor(log: Log) {
    this.#log = log;
  }

  of(cache: string): Counts {
    const counts = this.#counts.get(cache) ?? { added: 0, removed: 0, failed: 0 };
    this.#counts.set(cache, counts);
    return counts;
  }

  get failed(): number {
    return [...this.#counts.values()].reduce((sum, { failed }) => sum + failed, 0);
  }

  fail(cache: string, hash: string, error: unknown): void {
    this.of(cache).failed += 1;
    if (this.failed <= MOST_TOLD) this.#log.error("path not copied", { cache, hash, reason: wordsOf(error) });
    if (this.failed === MOST_TOLD) this.#log.warning("further paths that fail are only counted");
  }

  problem(message: string, error: unknown): void {
    this.problems += 1;
    this.#log.error(message, { reason: wordsOf(error) });
  }

  missing(cache: string, createdAt: number): void {
    this.#oldest.set(cache, Math.min(createdAt, this.#oldest.get(cache) ?? Infinity));
  }

  /** Before all is looked at once more. */
  forgetMissing(): void {
    this.#oldest.clear();
  }

  get isMissingAny(): boolean {
    return this.#oldest.size > 0;
  }

  /** @param now in seconds since 1970. */
  lag(cache: string, now: number): number {
    const oldest = this.#oldest.get(cache);
    return oldest === undefined ? 0 : Math.max(0, Math.round(now - oldest));
  }
}
