import { createHash } from "node:crypto";
import { Attic, type AtticCache } from "./attic.ts";
import type { SigningKey } from "./copier.ts";
import { Database } from "./database/database.ts";
import { Lock } from "./database/lock.ts";
import { type Difference, difference } from "./difference.ts";
import { EXIT, type Exit } from "./exit-status.ts";
import { Damaged, Index } from "./index/index.ts";
import type { Log } from "./log.ts";
import { INDEX_KEY, loadMemo, type Memo, saveMemo } from "./memo.ts";
import { readPublicKey } from "./narinfo.ts";
import { tellReads } from "./reads/tell.ts";
import { recover } from "./recover.ts";
import { round } from "./round.ts";
import { Bucket } from "./s3/bucket.ts";
import { type Patience, Service } from "./service.ts";
import type { Settings } from "./settings.ts";
import { writeStatus, writeStatusOfFailure } from "./status.ts";
import { Tally } from "./tally.ts";
import { Failure, Stopped, wordsOf } from "./trouble.ts";

/** How many paths are copied before the index is written, and the rest is looked for anew. */
const ROUND = 100_000;

/** Makes the edge hold what the server holds. @param stop asks it to end. */
export async function run(settings: Settings, log: Log, stop: AbortController): Promise<Exit> {
  const { config, s3 } = settings;
  const startedAt = new Date();
  const patience: Patience = {
    silence: config.silenceSeconds * 1000,
    retrying: config.retrySeconds * 1000,
    stop: stop.signal,
  };
  const services = {
    store: new Service("the object store", patience),
    attic: new Service("Attic", patience),
    database: new Service("PostgreSQL", patience),
  };
  const bucket = new Bucket(s3, services.store);
  const tally = new Tally(log);
  const lock = new Lock(
    settings.database,
    services.database,
    `attic-stack mirror ${s3.endpoint} ${s3.bucket}`,
    stop,
  );
  try {
    if (!(await lock.take())) {
      log.error("another mirror is at work on this bucket");
      return EXIT.another;
    }
    const done = await mirror(settings, { log, bucket, tally, services, stop: stop.signal });
    if (lock.isLost)
      throw new Failure("the connection to PostgreSQL was lost, and another mirror may have begun");
    const ok = !stop.signal.aborted && tally.failed + tally.problems === 0;
    const status = await writeStatus(bucket, done.index, { startedAt, ok, tally, caches: config.caches });
    for (const [cache, it] of Object.entries(status.caches)) log.info("cache", { cache, ...it });
    const { bytes, calls } = { bytes: done.bytes, calls: services.store.calls };
    log.info("done", { ok, seconds: seconds(startedAt), bytes, failed: tally.failed, storeCalls: calls });
    return stop.signal.aborted ? EXIT.stopped : ok ? EXIT.done : EXIT.partly;
  } catch (error) {
    const isStopped = error instanceof Stopped && !lock.isLost;
    if (isStopped) log.warning("the run was asked to end before it had begun to copy");
    else log.error("the run failed", { reason: wordsOf(error) });
    if (
      !(error instanceof Failure || error instanceof Stopped) &&
      error instanceof Error &&
      error.stack !== undefined
    )
      log.error("at", { stack: error.stack });
    await writeStatusOfFailure(bucket, startedAt).catch((problem: unknown) => {
      log.error("status not written", { reason: wordsOf(problem) });
    });
    return isStopped ? EXIT.stopped : EXIT.couldNotRun;
  } finally {
    await lock.close();
    for (const service of Object.values(services)) service.close();
  }
}

interface Parts {
  log: Log;
  bucket: Bucket;
  tally: Tally;
  services: { store: Service; attic: Service; database: Service };
  stop: AbortSignal;
}

async function mirror(settings: Settings, parts: Parts): Promise<{ index: Index; bytes: number }> {
  const { config, reads } = settings;
  const { log, bucket, tally, services, stop } = parts;
  const memo = await loadMemo(bucket);
  const readsBefore = memo.readsUntil;
  if (reads !== undefined) {
    await tellReads(reads, memo, { log, patience: services.attic.patience, caches: config.caches }).catch(
      (error: unknown) => {
        tally.problem("reads not told to the server", error);
      },
    );
  }
  const before = memo.run;
  let { index, isRecovered } = await believedIndex(settings, parts, memo);
  const attic = new Attic(settings.atticUrl, settings.atticToken, services.attic);
  let bytes = 0;
  for (;;) {
    const { served, diff, described, keys } = await look(settings, parts, attic, index);
    if (diff.left > 0) log.info("more than one round", { now: diff.changes.length, left: diff.left });
    tally.forgetMissing();
    for (const [cache, createdAt] of diff.oldestLeft) tally.missing(cache, createdAt);
    const { concurrency, graceSeconds } = config;
    const next = await round(
      {
        log,
        bucket,
        tally,
        memo,
        attic,
        service: services.attic,
        keys,
        described,
        served,
        concurrency,
        graceSeconds,
        isRecovered,
        stop,
      },
      index,
      diff,
    );
    bytes += next?.bytes ?? 0;
    index = next?.index ?? index;
    isRecovered = false;
    const goesOn = diff.left > 0 && !stop.aborted && tally.failed < diff.changes.length;
    if (!goesOn) break;
  }
  if (memo.run === before && memo.readsUntil !== readsBefore) await saveMemo(bucket, memo);
  return { index, bytes };
}

/** The index as the last run left it, or, where it cannot be believed, made by looking at the bucket. */
async function believedIndex(
  { config }: Settings,
  { log, bucket }: Parts,
  memo: Memo,
): Promise<{ index: Index; isRecovered: boolean }> {
  const bytes = await bucket.get(INDEX_KEY);
  const index = bytes && new Index(bytes);
  const now = Math.floor(Date.now() / 1000);
  const why = index === undefined ? "there is no index" : distrust(index, memo, now - config.listSeconds);
  if (index !== undefined && why === undefined) return { index, isRecovered: false };
  log.info("looking at the whole bucket", { why });
  const recovered = await recover(bucket, index, { concurrency: config.concurrency, now });
  if (recovered.broken > 0) log.warning("narinfos without their NAR taken away", { count: recovered.broken });
  return { index: recovered.index, isRecovered: true };
}

function distrust(index: Index, memo: Memo, listedSince: number): string | undefined {
  try {
    const { summary } = index.orphansAndSummary();
    if (summary.run === "" || summary.run !== memo.run) return "a run did not end as it should";
    return summary.listedAt < listedSince ? "it is time to" : undefined;
  } catch (error) {
    if (error instanceof Damaged) return error.message;
    throw error;
  }
}

interface Found {
  served: ReadonlySet<string>;
  described: ReadonlyMap<string, AtticCache>;
  keys: ReadonlyMap<string, SigningKey>;
  diff: Difference;
}

/** What there is, and what has to be done. */
async function look(
  { config, database: target }: Settings,
  { log, tally, services }: Parts,
  attic: Attic,
  index: Index,
): Promise<Found> {
  const names = config.caches;
  const { silence } = services.database.patience;
  const inDatabase = async <T>(work: (database: Database) => Promise<T>) =>
    await services.database.retrying("reading the database", async () => {
      const database = await Database.connect(target, silence);
      try {
        return await work(database);
      } finally {
        await database.close();
      }
    });
  const served = await inDatabase((database) => database.caches(names));
  const missing = names.filter((name) => !served.has(name));
  if (missing.length > 0)
    log.warning("the server has no such cache, so the edge has none", { caches: missing.join(" ") });
  const described = new Map<string, AtticCache>();
  const keys = new Map<string, SigningKey>();
  for (const name of served) {
    try {
      const cache = await attic.cache(name);
      keys.set(name, { ...readPublicKey(cache.publicKey), tag: tagOf(cache.publicKey) });
      described.set(name, cache);
    } catch (error) {
      if (error instanceof Stopped) throw error;
      tally.problem(`cache ${name} not read`, error);
    }
  }
  const diff = await inDatabase(async (database) => {
    const found = await difference(database.rows([...served]), index, (name) => keys.get(name)?.tag, ROUND);
    for (const [cache, strange] of database.strange)
      tally.problem(`a path of the cache ${cache} left out`, strange);
    return found;
  });
  log.info("compared", { changes: diff.changes.length + diff.left, gone: diff.gone.length });
  return { served, described, keys, diff };
}

function tagOf(publicKey: string): string {
  return createHash("sha256").update(publicKey).digest("hex").slice(0, 8);
}

function seconds(since: Date): number {
  return Math.round((Date.now() - since.getTime()) / 100) / 10;
}
