import { randomBytes } from "node:crypto";
import { cacheInfoKey, narinfoKey } from "../../components/edge/layout.ts";
import { atOnce } from "./at-once.ts";
import type { AtticCache } from "./attic.ts";
import { Copier, type CopierParts } from "./copier.ts";
import type { Difference } from "./difference.ts";
import { compareEntries, type Entry, type Orphan, type Summary, within } from "./index/entries.ts";
import { Index } from "./index/index.ts";
import { rewrite } from "./index/rewrite.ts";
import type { Log } from "./log.ts";
import { INDEX_KEY, type Memo, saveMemo } from "./memo.ts";
import { toBase32 } from "./nar/base32.ts";
import type { NarFile } from "./narinfo.ts";
import type { Content } from "./s3/bucket.ts";
import { sha256 } from "./s3/sign.ts";
import type { Tally } from "./tally.ts";
import { Stopped } from "./trouble.ts";

/** How often it is said how far it is, in milliseconds. */
const PROGRESS = 5_000;

export interface RoundParts extends Omit<CopierParts, "files"> {
  log: Log;
  tally: Tally;
  memo: Memo;
  /** The caches that are served, as far as Attic says anything of them. */
  described: ReadonlyMap<string, AtticCache>;
  /** All caches that are served. */
  served: ReadonlySet<string>;
  concurrency: number;
  graceSeconds: number;
  /** Whether the index was made by looking, and is to be written whatever there is to do. */
  isRecovered: boolean;
}

export interface RoundResult {
  index: Index;
  /** Of the NARs that were copied. */
  bytes: number;
}

/**
 * Does what a difference says, and writes an index that says what is there then.
 *
 * @returns the new index and how many bytes were copied, or undefined where there was nothing to do.
 * @throws Failure where the bucket does not take it.
 */
export async function round(
  parts: RoundParts,
  index: Index,
  diff: Difference,
): Promise<RoundResult | undefined> {
  const { bucket, memo, tally, served, graceSeconds } = parts;
  const now = Math.floor(Date.now() / 1000);
  const { orphans, summary } = index.orphansAndSummary();
  const infos = [...parts.described].filter(([cache, it]) => summary.caches[cache]?.info !== cacheInfo(it));
  const closed = Object.keys(summary.caches).filter((cache) => !served.has(cache));
  const isDue = orphans.some(({ since }) => since + graceSeconds <= now);
  const todo = diff.changes.length + diff.gone.length + infos.length + closed.length;
  if (todo === 0 && !isDue && !parts.isRecovered) return undefined;

  // From here on the index is not to be believed, until there is one of this run.
  memo.run = toBase32(randomBytes(10));
  await saveMemo(bucket, memo);
  const caches = { ...summary.caches };
  const kept = await removeNarinfos(parts, diff.gone, closed);
  for (const cache of closed) if (!kept.has(cacheInfoKey(cache))) Reflect.deleteProperty(caches, cache);
  for (const [cache, described] of infos) {
    const info = cacheInfo(described);
    await bucket.put(cacheInfoKey(cache), contentOf(info), "text/x-nix-cache-info").then(
      () => (caches[cache] = { paths: 0, nars: 0, bytes: 0, ...caches[cache], info }),
      (error: unknown) => {
        tally.problem("nix-cache-info not written", error);
      },
    );
  }

  const copier = new Copier({ ...parts, files: usableFiles(index, orphans, diff, now, graceSeconds) });
  const written = await copyAll(parts, copier, diff);
  const gone = diff.gone.filter(({ cache, hash }) => !kept.has(narinfoKey(cache, hash)));
  for (const { cache } of gone) tally.of(cache).removed += 1;
  const next: Summary = { ...summary, run: copier.isUncertain ? "" : memo.run, caches };
  const bytes = await rewrite(
    { index, written, gone, orphans, added: copier.added, summary: next, now, graceSeconds },
    (keys) =>
      bucket.delete(keys).catch((error: unknown) => {
        tally.problem("NARs that nothing names not taken away", error);
        return [...keys];
      }),
  );
  await bucket.put(INDEX_KEY, contentOf(bytes), "application/octet-stream");
  return { index: new Index(bytes), bytes: copier.bytes };
}

function cacheInfo({ storeDir, priority }: AtticCache): string {
  return `StoreDir: ${storeDir}\nWantMassQuery: 1\nPriority: ${priority}\n`;
}

function contentOf(it: string | Buffer): Content {
  const bytes = Buffer.from(it);
  return { pieces: [bytes], size: bytes.length, sha256: sha256(bytes) };
}

/** @returns the keys that are still there. */
async function removeNarinfos(
  { bucket, tally }: RoundParts,
  gone: readonly Entry[],
  closed: readonly string[],
): Promise<ReadonlySet<string>> {
  const keys = [...gone.map(({ cache, hash }) => narinfoKey(cache, hash)), ...closed.map(cacheInfoKey)];
  try {
    const left = await bucket.delete(keys);
    if (left.length > 0)
      tally.problem("narinfos not taken away", new Error(`the object store kept ${left.length}`));
    return new Set(left);
  } catch (error) {
    tally.problem("narinfos not taken away", error);
    return new Set(keys);
  }
}

/** The files at the edge that hold what is to be copied. */
function usableFiles(
  index: Index,
  orphans: readonly Orphan[],
  { changes }: Difference,
  now: number,
  graceSeconds: number,
): Map<string, NarFile | Orphan> {
  const wanted = new Set(changes.map(({ row }) => within(row.cache, row.narHash)));
  const files = new Map<string, NarFile | Orphan>();
  if (wanted.size === 0) return files;
  const nameOf = ({ cache, file }: { cache: string; file: string }) =>
    within(cache, file.slice(0, file.indexOf("-")));
  // One that is about to be deleted may be on another run's list already.
  const margin = Math.min(3600, graceSeconds / 2);
  for (const orphan of orphans)
    if (wanted.has(nameOf(orphan)) && orphan.since + graceSeconds - now > margin)
      files.set(nameOf(orphan), orphan);
  for (const entry of index.entries()) {
    const { file, fileHash, fileSize } = entry;
    if (wanted.has(nameOf(entry))) files.set(nameOf(entry), { file, fileHash, fileSize });
  }
  return files;
}

async function copyAll(
  { tally, log, stop, concurrency }: RoundParts,
  copier: Copier,
  { changes }: Difference,
): Promise<Entry[]> {
  const written: Entry[] = [];
  let done = 0;
  const progress = setInterval(() => {
    log.info("copying", { done, of: changes.length, failed: tally.failed, bytes: copier.bytes });
  }, PROGRESS);
  const copyOne = async (change: Difference["changes"][number]) => {
    const { cache, hash, createdAt } = change.row;
    done += 1;
    try {
      const entry = await copier.copy(change);
      // Where the server has it no more, the next run sees that.
      if (entry === undefined) return;
      written.push(entry);
      tally.of(cache).added += 1;
    } catch (error) {
      if (!(error instanceof Stopped)) tally.fail(cache, hash, error);
      if (change.old === undefined) tally.missing(cache, createdAt);
    }
  };
  try {
    await atOnce(changes, concurrency, copyOne, () => !stop.aborted);
  } finally {
    clearInterval(progress);
  }
  if (stop.aborted)
    for (const { row, old } of changes.slice(done))
      if (old === undefined) tally.missing(row.cache, row.createdAt);
  return written.sort(compareEntries);
}
