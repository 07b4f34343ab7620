import type { Row } from "./database/database.ts";
import { compareEntries, type Entry } from "./index/entries.ts";
import type { Index } from "./index/index.ts";

/** A path whose narinfo is to be written, for the first time or anew. */
export interface Change {
  row: Row;
  old?: Entry;
}

/** What has to be done so that the edge holds what the server holds. */
export interface Difference {
  changes: Change[];
  gone: Entry[];
  /** Paths of the server that were left out, because that many at once take too much memory. */
  left: number;
  /** When the oldest path that is not at the edge came to the server, by cache, of those that were left out. */
  oldestLeft: Map<string, number>;
}

/**
 * Lays what the server holds beside what the edge holds, both of which come in the same order.
 *
 * @param tagOf what belongs to the stamps of a cache's paths beside what the database says; undefined where that is not
 *   known.
 * @param most how many changes to collect.
 * @throws Damaged, and what the rows throw.
 */
export async function difference(
  rows: AsyncIterable<readonly Row[]>,
  index: Index,
  tagOf: (cache: string) => string | undefined,
  most: number,
): Promise<Difference> {
  const result: Difference = { changes: [], gone: [], left: 0, oldestLeft: new Map() };
  const entries = index.entries();
  let entry = entries.next().value;
  for await (const batch of rows) {
    for (const row of batch) {
      while (entry !== undefined && compareEntries(entry, row) < 0) {
        result.gone.push(entry);
        entry = entries.next().value;
      }
      const old = entry !== undefined && compareEntries(entry, row) === 0 ? entry : undefined;
      if (old !== undefined) entry = entries.next().value;
      if (old !== undefined && isSame(old, row, tagOf(row.cache))) continue;
      if (result.changes.length < most) result.changes.push({ row, ...(old && { old }) });
      else leaveOut(result, row, old === undefined);
    }
  }
  for (; entry !== undefined; entry = entries.next().value) result.gone.push(entry);
  return result;
}

function isSame({ stamp }: Entry, row: Row, tag: string | undefined): boolean {
  return tag === undefined ? stamp.startsWith(row.stamp) : stamp === row.stamp + tag;
}

function leaveOut(result: Difference, { cache, createdAt }: Row, isNew: boolean): void {
  result.left += 1;
  if (isNew) result.oldestLeft.set(cache, Math.min(createdAt, result.oldestLeft.get(cache) ?? Infinity));
}
