import type { Service } from "../service.ts";
import { Failure } from "../trouble.ts";
import { Database, type DatabaseTarget } from "./database.ts";

/** Lets one mirror at a time work on a bucket: a lock in the database, which is held as long as a connection stands. */
export class Lock {
  readonly #target: DatabaseTarget;
  readonly #service: Service;
  readonly #name: string;
  readonly #stop: AbortController;
  #database: Database | undefined;
  #isClosed = false;
  #isLost = false;

  /** @param stop is aborted where the lock is lost and somebody else has it. */
  constructor(target: DatabaseTarget, service: Service, name: string, stop: AbortController) {
    this.#target = target;
    this.#service = service;
    this.#name = name;
    this.#stop = stop;
  }

  /** Whether it was lost for good. */
  get isLost(): boolean {
    return this.#isLost;
  }

  /** @returns false where another mirror has it. @throws Failure, Stopped */
  async take(): Promise<boolean> {
    return await this.#service.retrying("connecting to the database", async () => {
      const lost = () => {
        if (!this.#isClosed) void this.#takeAgain();
      };
      const database = await Database.connect(this.#target, this.#service.patience.silence, lost);
      if (await database.lock(this.#name)) {
        this.#database = database;
        return true;
      }
      this.#isClosed = true;
      await database.close();
      return false;
    });
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#database?.close();
  }

  /** The connection broke. What is under way goes on meanwhile: a database may be started anew. */
  async #takeAgain(): Promise<void> {
    try {
      if (await this.take()) return;
    } catch (error) {
      if (!(error instanceof Failure)) return;
    }
    this.#isLost = true;
    this.#stop.abort();
  }
}
