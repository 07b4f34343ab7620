import { setTimeout as sleep } from "node:timers/promises";
import { StatusError, type Api } from "../api.ts";
import { name, text, type KubeObject } from "../object.ts";

/** What became of the object: its new form, or that it is gone. */
export type Sighting = { object: KubeObject; gone: boolean } | undefined;

interface Options {
  /** Milliseconds after which the object is looked at again though nothing happened to it. */
  poll?: number | undefined;
  signal: AbortSignal;
}

/**
 * Follows one object, from its present form on, and calls `look` with each form until that answers true.
 * Looks never run side by side; forms that come while one runs are skipped but for the last.
 *
 * @param collection path of the collection that the object stands in.
 * @throws what `look` throws; where the signal ends it, an AbortError.
 */
export async function follow(
  api: Api,
  collection: string,
  object: KubeObject,
  { poll, signal }: Options,
  look: (sighting: NonNullable<Sighting>) => Promise<boolean>,
): Promise<void> {
  const stop = new AbortController();
  const both = AbortSignal.any([signal, stop.signal]);
  let latest: Sighting;
  let wake: () => void = () => undefined;
  const tell = (sighting: NonNullable<Sighting>): void => {
    latest = sighting;
    wake();
  };
  const watching = watchForever(api, collection, name(object), both, tell);
  watching.catch(() => undefined); // Its end is only seen through the signal.
  try {
    for (;;) {
      const woken = new Promise<void>((resolve) => {
        wake = resolve;
      });
      const sighting = latest;
      if (sighting && (await look(sighting))) return;
      if (latest !== sighting) continue;
      await Promise.race([woken, pause(sighting ? poll : undefined, both)]);
      signal.throwIfAborted();
    }
  } finally {
    stop.abort();
  }
}

async function watchForever(
  api: Api,
  collection: string,
  name: string,
  signal: AbortSignal,
  tell: (sighting: NonNullable<Sighting>) => void,
): Promise<void> {
  const path = `${collection}/${name}`;
  for (;;) {
    try {
      let resourceVersion = "";
      const found = await api.request("GET", path, { signal }).catch((error: unknown) => {
        if (error instanceof StatusError && error.code === 404) return undefined;
        throw error;
      });
      if (found) resourceVersion = text(found, "metadata", "resourceVersion");
      tell({ object: found ?? {}, gone: found === undefined });
      const query = { fieldSelector: `metadata.name=${name}`, ...(found ? { resourceVersion } : {}) };
      for await (const event of api.watch(collection, query, signal)) {
        if (event.type === "ERROR") break;
        if (event.type !== "BOOKMARK") tell({ object: event.object, gone: event.type === "DELETED" });
      }
    } catch {
      // The server is away for a moment, or the version is too old: look again.
    }
    if (signal.aborted) return;
    await sleep(200, undefined, { signal }).catch(() => undefined);
  }
}

async function pause(time: number | undefined, signal: AbortSignal): Promise<void> {
  await sleep(time ?? 2 ** 30, undefined, { signal }).catch(() => undefined);
}
