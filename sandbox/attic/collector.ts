import { setTimeout as sleep } from "node:timers/promises";
import type { Attic } from "./attic.ts";
import {
  deleteChunks,
  deleteOldObjects,
  deleteOrphanNars,
  type DoomedChunk,
  markOrphanChunks,
} from "./database/garbage.ts";
import { log } from "./log.ts";

/** How many files are deleted at once. */
const AT_ONCE = 20;

/** Collects again and again, as often as configured, until it is told to stop. Where that is 0, never. */
export async function collectPeriodically(attic: Attic, stop: AbortSignal): Promise<void> {
  const { interval } = attic.config["garbage-collection"];
  while (interval > 0 && !stop.aborted) {
    await collectOnce(attic).catch((error: unknown) => {
      log(`Garbage collection failed: ${(error as Error).message}`);
    });
    await rest(interval * 1000, stop);
  }
}

/** Deletes old paths, then NARs and chunks that nothing needs any more (server/src/gc.rs at b7c9056). */
export async function collectOnce({ config, database, store }: Attic): Promise<void> {
  const objects = await deleteOldObjects(database, config["garbage-collection"]["default-retention-period"]);
  const nars = await deleteOrphanNars(database);
  const doomed = await markOrphanChunks(database);
  const gone: string[] = [];
  const work = async (left: Iterator<DoomedChunk>) => {
    for (let next = left.next(); next.done !== true; next = left.next()) {
      const { id, file } = next.value;
      try {
        await store.delete(file);
        gone.push(id);
      } catch (error) {
        // It stays marked, and the next run tries again.
        log(`A chunk could not be deleted: ${(error as Error).message}`);
      }
    }
  };
  const left = doomed.values();
  await Promise.all(Array.from({ length: AT_ONCE }, () => work(left)));
  await deleteChunks(database, gone);
  log(`Garbage collection: deleted ${objects} paths, ${nars} NARs and ${gone.length} chunks`);
}

/** The longest that Node can wait in one piece, in milliseconds. */
const LONGEST_WAIT = 2 ** 31 - 1;

async function rest(milliseconds: number, signal: AbortSignal): Promise<void> {
  for (let left = milliseconds; left > 0 && !signal.aborted; left -= LONGEST_WAIT)
    await sleep(Math.min(left, LONGEST_WAIT), undefined, { signal }).catch(() => undefined);
}
