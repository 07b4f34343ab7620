import { type CacheStatus, type Status, STATUS_KEY } from "../../components/edge/layout.ts";
import type { Index } from "./index/index.ts";
import { putJson } from "./memo.ts";
import type { Bucket } from "./s3/bucket.ts";
import type { Tally } from "./tally.ts";

export interface StatusParts {
  startedAt: Date;
  ok: boolean;
  tally: Tally;
  /** All that are to be served. */
  caches: readonly string[];
}

/** Says what a run did. @throws Failure */
export async function writeStatus(bucket: Bucket, index: Index, parts: StatusParts): Promise<Status> {
  const { startedAt, ok, tally, caches } = parts;
  const finishedAt = new Date();
  const { summary } = index.orphansAndSummary();
  const statusOf = (cache: string): CacheStatus => {
    const { paths = 0, nars = 0, bytes = 0 } = summary.caches[cache] ?? {};
    return {
      paths,
      nars,
      bytes,
      ...tally.of(cache),
      lagSeconds: tally.lag(cache, finishedAt.getTime() / 1000),
    };
  };
  const names = [...new Set([...Object.keys(summary.caches), ...caches])].sort();
  const status: Status = {
    version: 1,
    startedAt: startedAt.toISOString(),
    finishedAt: finishedAt.toISOString(),
    ok,
    caches: Object.fromEntries(names.map((name) => [name, statusOf(name)])),
  };
  await putJson(bucket, STATUS_KEY, status);
  return status;
}

/**
 * Says that a run failed: what is at the edge is what was there, and what was behind is further behind.
 *
 * @throws Failure
 */
export async function writeStatusOfFailure(bucket: Bucket, startedAt: Date): Promise<void> {
  const finishedAt = new Date();
  const last = readStatus(await bucket.get(STATUS_KEY));
  const passed = last === undefined ? 0 : (finishedAt.getTime() - Date.parse(last.finishedAt)) / 1000;
  const caches = Object.entries(last?.caches ?? {}).map(([name, it]) => {
    const lagSeconds = it.lagSeconds > 0 ? Math.round(it.lagSeconds + passed) : 0;
    return [name, { ...it, added: 0, removed: 0, failed: 0, lagSeconds }] as const;
  });
  const status: Status = {
    version: 1,
    startedAt: startedAt.toISOString(),
    finishedAt: finishedAt.toISOString(),
    ok: false,
    caches: Object.fromEntries(caches),
  };
  await putJson(bucket, STATUS_KEY, status);
}

function readStatus(bytes: Buffer | undefined): Status | undefined {
  try {
    const status = JSON.parse(bytes?.toString() ?? "") as Partial<Status> | null;
    return status?.version === 1 && typeof status.caches === "object" ? (status as Status) : undefined;
  } catch {
    return undefined;
  }
}
