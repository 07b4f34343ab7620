import { narKey } from "../../../components/edge/layout.ts";
import type { NarFile } from "../narinfo.ts";
import { compareEntries, type Entry, type Orphan, type Summary, within } from "./entries.ts";
import { type Index, IndexWriter } from "./index.ts";

export interface Rewriting {
  index: Index;
  /** Entries that are new, or stand in place of old ones, in their order. */
  written: readonly Entry[];
  gone: readonly Entry[];
  orphans: readonly Orphan[];
  /** Files that no narinfo named before, by {@link within}. */
  added: ReadonlyMap<string, NarFile & { cache: string }>;
  /** With the totals as they were. */
  summary: Summary;
  /** In seconds since 1970. */
  now: number;
  graceSeconds: number;
}

/**
 * Makes the index of what is there now. Files that no path names any more become orphans, and those whose time has
 * come are deleted.
 *
 * @param remove deletes keys. @returns those that are still there.
 */
export async function rewrite(
  { index, written, gone, orphans, added, summary, now, graceSeconds }: Rewriting,
  remove: (keys: readonly string[]) => Promise<string[]>,
): Promise<Buffer> {
  const writer = new IndexWriter();
  const caches: Summary["caches"] = Object.fromEntries(
    Object.entries(summary.caches).map(([cache, totals]) => [cache, { ...totals, paths: 0 }]),
  );
  const totalsOf = (cache: string) => (caches[cache] ??= { info: "", paths: 0, nars: 0, bytes: 0 });

  // What may have lost its last name, by the name of the file within its cache.
  const unnamed = new Map<string, Orphan>();
  for (const entry of gone) unnamed.set(within(entry.cache, entry.file), orphanOf(entry, now));
  const waiting = new Map(orphans.map((orphan) => [within(orphan.cache, orphan.file), orphan]));
  const fresh = new Map(added);
  for (const [entry, replaced] of merged(
    index,
    written,
    new Set(gone.map((it) => within(it.cache, it.hash))),
  )) {
    if (replaced !== undefined && replaced.file !== entry.file)
      unnamed.set(within(entry.cache, replaced.file), orphanOf(replaced, now));
    writer.entry(entry);
    totalsOf(entry.cache).paths += 1;
  }
  // Once more, now that all is known that may be named by nothing.
  for (const [entry] of merged(index, written, new Set(gone.map((it) => within(it.cache, it.hash))))) {
    const name = within(entry.cache, entry.file);
    unnamed.delete(name);
    waiting.delete(name);
    const file = fresh.get(name);
    if (file === undefined) continue;
    fresh.delete(name);
    totalsOf(file.cache).nars += 1;
    totalsOf(file.cache).bytes += file.fileSize;
  }
  for (const { cache, fileSize } of unnamed.values()) {
    const totals = caches[cache];
    if (totals === undefined) continue;
    totals.nars -= 1;
    totals.bytes -= fileSize;
  }
  for (const [name, file] of fresh) if (!waiting.has(name)) unnamed.set(name, orphanOf(file, now));

  const all = [...waiting.values(), ...unnamed.values()];
  const due = all
    .filter(({ since }) => since + graceSeconds <= now)
    .map(({ cache, file }) => narKey(cache, file));
  const left = new Set(due.length > 0 ? await remove(due) : []);
  const removed = new Set(due.filter((key) => !left.has(key)));
  const stay = all.filter(({ cache, file }) => !removed.has(narKey(cache, file)));
  for (const orphan of stay.sort((a, b) => (a.cache < b.cache ? -1 : a.cache > b.cache ? 1 : 0)))
    writer.orphan(orphan);
  return writer.finish({ ...summary, caches });
}

function orphanOf({ cache, file, fileHash, fileSize }: NarFile & { cache: string }, since: number): Orphan {
  return { cache, file, fileHash, fileSize, since };
}

/** The entries as they are now, each with the one in whose place it stands. */
function* merged(
  index: Index,
  written: readonly Entry[],
  gone: ReadonlySet<string>,
): Generator<[Entry, Entry | undefined], undefined> {
  let next = 0;
  for (const old of index.entries()) {
    let entry = written[next];
    for (; entry !== undefined && compareEntries(entry, old) < 0; entry = written[next]) {
      yield [entry, undefined];
      next += 1;
    }
    if (entry !== undefined && compareEntries(entry, old) === 0) {
      yield [entry, old];
      next += 1;
    } else if (!gone.has(within(old.cache, old.hash))) yield [old, undefined];
  }
  for (; next < written.length; next += 1) {
    const entry = written[next];
    if (entry !== undefined) yield [entry, undefined];
  }
}
