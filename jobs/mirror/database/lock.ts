import { setTimeout as sleep } from "node:timers/promises";
import type { Service } from "../service.ts";
import { Failure } from "../trouble.ts";
import { Database, type DatabaseTarget } from "./database.ts";

/** Between tries to get the lock, in milliseconds. */
const WAITS = [100, 300, 600] as const;

/** Lets one mirror at a time work on a bucket: a lock in the database, which is held as long as a connection stands. */
export class Lock {
  readonly #target: DatabaseTarget;
  readonly #service: Service;
  readonly #name: string;
  readonly #stop: AbortController;
  #database: Database | undefined;
  #isClosed = false;
  #again: Promise<void> = Promise.resolve();
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
    // The server may still be at clearing away a run that was killed.
    for (const wait of WAITS) {
      if (this.#isClosed || (await this.#try())) return true;
      await sleep(wait);
    }
    return await this.#try();
  }

  async #try(): Promise<boolean> {
    return await this.#service.retrying("connecting to the database", async () => {
      let isHeld = false;
      const lost = () => {
        if (isHeld && !this.#isClosed) this.#again = this.#takeAgain();
      };
      const database = await Database.connect(this.#target, this.#service.patience.silence, lost);
      isHeld = await database.lock(this.#name);
      if (isHeld && !this.#isClosed) this.#database = database;
      else await database.close();
      return isHeld;
    });
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#again;
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
