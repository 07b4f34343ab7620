import type {} from "./objects.ts";
import { setTimeout as sleep } from "node:timers/promises";
import type { KubernetesObject } from "./objects.ts";
import { type Api, ApiError } from "../control-plane/api.ts";

/** How soon a watch that broke is begun again, in milliseconds. */
const AGAIN = 250;

interface Event<T> {
  type: "ADDED" | "MODIFIED" | "DELETED" | "BOOKMARK" | "ERROR";
  object: T;
}

/** Where the API server is: asked again after each fault, because a later start may move it. */
export interface Connection {
  api(): Promise<Api>;
  lost(): void;
}

/** All objects of a kind, kept up to date. While the API server is away they stay as they were. */
export class Watch<T extends KubernetesObject> {
  readonly #connection: Connection;
  readonly #path: string;
  readonly #changed: () => void;
  #objects = new Map<string, T>();
  #synced = false;

  /** @param path of the list over all namespaces, such as "/api/v1/pods". */
  constructor(connection: Connection, path: string, changed: () => void) {
    this.#connection = connection;
    this.#path = path;
    this.#changed = changed;
  }

  /** Whether the objects have been listed once. */
  get synced(): boolean {
    return this.#synced;
  }

  get objects(): readonly T[] {
    return [...this.#objects.values()];
  }

  /** Follows the objects until the signal is given. */
  async follow(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      try {
        await this.#session(signal);
      } catch (error) {
        // A kind that never was there has no objects. Of others a server that starts does not know for a moment.
        if (error instanceof ApiError && error.status === 404 && !this.#synced) this.#replace([]);
        else this.#connection.lost();
      }
      await sleep(AGAIN);
    }
  }

  /** One list and the watch that goes on from it. */
  async #session(signal: AbortSignal): Promise<void> {
    const api = await this.#connection.api();
    const { items, metadata } = JSON.parse(await api.call("GET", this.#path)) as {
      items: T[];
      metadata: { resourceVersion: string };
    };
    this.#replace(items);
    let version = metadata.resourceVersion;
    for (;;) {
      const query = `watch=1&allowWatchBookmarks=true&resourceVersion=${version}`;
      for await (const line of api.lines(`${this.#path}?${query}`, signal)) {
        const { type, object } = JSON.parse(line) as Event<T>;
        // The version is too old, or the server cannot go on: it has to be listed again.
        if (type === "ERROR") return;
        version = object.metadata?.resourceVersion ?? version;
        if (type !== "BOOKMARK") this.#note(type, object);
      }
    }
  }

  #replace(items: readonly T[]): void {
    this.#objects = new Map(items.map((item) => [item.metadata?.uid ?? "", item]));
    this.#synced = true;
    this.#changed();
  }

  #note(type: "ADDED" | "MODIFIED" | "DELETED", object: T): void {
    const uid = object.metadata?.uid ?? "";
    if (type === "DELETED") this.#objects.delete(uid);
    else this.#objects.set(uid, object);
    this.#changed();
  }
}
