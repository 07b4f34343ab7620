import { isCacheName } from "../../components/attic/names.ts";
import { NAR_FILE, narinfoKey, STORE_PATH_HASH } from "../../components/edge/layout.ts";
import { atOnce } from "./at-once.ts";
import { type CacheTotals, type Entry, type Orphan, type Summary, within } from "./index/entries.ts";
import { Damaged, Index, IndexWriter } from "./index/index.ts";
import { fileOf, parseNarInfo } from "./narinfo.ts";
import type { Bucket } from "./s3/bucket.ts";
import { Nonsense } from "./trouble.ts";

/** The stamp of a path of which it is not known what the server said when its narinfo was written. */
const UNKNOWN = "?";

export interface Recovered {
  index: Index;
  /** How many narinfos were taken away, because they were none or their NAR is not there. */
  broken: number;
}

/**
 * Finds out what is in the bucket by looking, after a run that did not end, or where the index is lost. What an older
 * index says of a narinfo is believed as long as the ETag is the same; other narinfos are read.
 *
 * @param old whatever index there is.
 * @param now in seconds since 1970.
 * @throws Failure
 */
export async function recover(
  bucket: Bucket,
  old: Index | undefined,
  { concurrency, now }: { concurrency: number; now: number },
): Promise<Recovered> {
  await giveUpUploads(bucket, concurrency);
  const known = knownBy(old);
  const writer = new IndexWriter();
  const summary: Summary = { version: 1, run: "", listedAt: now, caches: {} };
  const orphans: Orphan[] = [];
  let broken = 0;
  const folders = (await bucket.folders()).filter(isCacheName);
  for (const cache of folders.sort()) {
    const look = await lookAt(bucket, cache, known, concurrency);
    await bucket.delete(look.broken.map((hash) => narinfoKey(cache, hash)));
    broken += look.broken.length;
    for (const entry of look.entries) writer.entry(entry);
    summary.caches[cache] = totalsOf(look.entries);
    const named = new Set(look.entries.map(({ file }) => file));
    for (const [file, fileSize] of look.nars)
      if (!named.has(file))
        orphans.push({
          cache,
          file,
          fileSize,
          fileHash: "",
          since: now,
          ...known.orphans.get(within(cache, file)),
        });
  }
  for (const orphan of orphans) writer.orphan(orphan);
  return { index: new Index(writer.finish(summary)), broken };
}

interface Known {
  /** By {@link within}. */
  entries: ReadonlyMap<string, Entry>;
  orphans: ReadonlyMap<string, Orphan>;
}

function knownBy(old: Index | undefined): Known {
  const entries = new Map<string, Entry>();
  try {
    for (const entry of old?.entries() ?? []) entries.set(within(entry.cache, entry.hash), entry);
    const { orphans = [] } = old?.orphansAndSummary() ?? {};
    return {
      entries,
      orphans: new Map(orphans.map((orphan) => [within(orphan.cache, orphan.file), orphan])),
    };
  } catch (error) {
    if (!(error instanceof Damaged)) throw error;
    return { entries, orphans: new Map() };
  }
}

interface Look {
  entries: Entry[];
  /** The sizes of NAR files. */
  nars: Map<string, number>;
  /** The hashes of paths whose narinfo is worth nothing. */
  broken: string[];
}

async function lookAt(bucket: Bucket, cache: string, known: Known, concurrency: number): Promise<Look> {
  const narinfos: { hash: string; etag: string }[] = [];
  const nars = new Map<string, number>();
  for await (const { key, size, etag } of bucket.list(`${cache}/`)) {
    const name = key.slice(cache.length + 1);
    const hash = /^(.*)\.narinfo$/.exec(name)?.[1];
    const file = /^nar\/(.*)$/.exec(name)?.[1];
    if (hash !== undefined && STORE_PATH_HASH.test(hash)) narinfos.push({ hash, etag });
    if (file !== undefined && NAR_FILE.test(file)) nars.set(file, size);
  }
  const broken: string[] = [];
  const found = new Map<string, Entry>();
  await atOnce(narinfos, concurrency, async ({ hash, etag }) => {
    const old = known.entries.get(within(cache, hash));
    const entry = old?.etag === etag ? old : await readEntry(bucket, cache, hash, etag);
    if (entry !== undefined && nars.get(entry.file) === entry.fileSize) found.set(hash, entry);
    else broken.push(hash);
  });
  return { entries: narinfos.flatMap(({ hash }) => found.get(hash) ?? []), nars, broken };
}

/** @returns undefined where the narinfo is none of the mirror's. */
async function readEntry(
  bucket: Bucket,
  cache: string,
  hash: string,
  etag: string,
): Promise<Entry | undefined> {
  const text = await bucket.get(narinfoKey(cache, hash));
  if (text === undefined) return undefined;
  try {
    return { cache, hash, ...fileOf(parseNarInfo(text.toString())), stamp: UNKNOWN, etag };
  } catch (error) {
    if (error instanceof Nonsense) return undefined;
    throw error;
  }
}

function totalsOf(entries: readonly Entry[]): CacheTotals {
  const sizes = new Map(entries.map(({ file, fileSize }) => [file, fileSize]));
  const bytes = [...sizes.values()].reduce((sum, size) => sum + size, 0);
  return { info: "", paths: entries.length, nars: sizes.size, bytes };
}

/** Parts of uploads that nobody will finish cost as much as objects, and show nowhere. */
async function giveUpUploads(bucket: Bucket, concurrency: number): Promise<void> {
  const uploads = await bucket.unfinished();
  const own = uploads.filter(({ key }) => NAR_FILE.test(key.split("/nar/")[1] ?? ""));
  await atOnce(own, concurrency, (upload) => bucket.abortUpload(upload));
}
