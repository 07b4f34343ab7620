import type { Service } from "../service.ts";
import type { ReadsSettings } from "../settings.ts";
import { Failure, Nonsense, Transient } from "../trouble.ts";

/** That a NAR was read at the edge. */
export interface Read {
  cache: string;
  /** SHA-256 in base 32. */
  narHash: string;
  /** When last, in seconds since 1970. */
  at: number;
}

/** How many rows are asked for at once. */
export const MOST_ROWS = 10_000;
const LARGEST_ANSWER = 2 ** 24;
const NAR_HASH = /^[01][0-9abcdfghijklmnpqrsvwxyz]{51}$/;

/**
 * What was read between two moments, in seconds since 1970, by Cloudflare's SQL API of the Workers Analytics Engine. The
 * API cannot leave rows out, so a time in which too much was read is asked for in halves.
 *
 * @throws Failure, Nonsense, Stopped
 */
export async function* readsBetween(
  settings: ReadsSettings,
  service: Service,
  from: number,
  to: number,
): AsyncGenerator<Read[], undefined> {
  const rows = await ask(settings, service, from, to);
  if (rows.length >= MOST_ROWS && to - from > 1) {
    const middle = Math.floor((from + to) / 2);
    yield* readsBetween(settings, service, from, middle);
    yield* readsBetween(settings, service, middle, to);
  } else yield rows.flatMap((row) => readOf(row) ?? []);
}

/** Only numbers and the dataset's name, which was looked at, become part of the query. */
async function ask(
  { url, account, token, dataset }: ReadsSettings,
  service: Service,
  from: number,
  to: number,
): Promise<unknown[]> {
  const query = `SELECT blob1 AS cache, blob2 AS nar, max(timestamp) AS last_read FROM ${dataset}
WHERE timestamp >= toDateTime(${from}) AND timestamp < toDateTime(${to})
GROUP BY cache, nar LIMIT ${MOST_ROWS} FORMAT JSON`;
  const answer = await post(
    service,
    `${url}/accounts/${encodeURIComponent(account)}/analytics_engine/sql`,
    token,
    query,
  );
  // A dataset is made when the first point is written to it.
  if (answer === undefined) return [];
  const { data } = answer;
  if (!Array.isArray(data)) throw new Nonsense("the SQL API's answer has no rows");
  return data as unknown[];
}

async function post(
  service: Service,
  url: string,
  token: string,
  query: string,
): Promise<Readonly<Record<string, unknown>> | undefined> {
  const body = Buffer.from(query);
  return await service.retrying("asking the SQL API of the Analytics Engine", async () => {
    const response = await service.send({
      method: "POST",
      url: new URL(url),
      headers: {
        authorization: `Bearer ${token}`,
        "content-type": "text/plain",
        "content-length": String(body.length),
      },
      body: [body],
    });
    const { statusCode: status = 0 } = response;
    const text = await service.text(response, LARGEST_ANSWER);
    if (status === 429 || status >= 500) throw new Transient(`it answered ${status}`);
    if (
      status === 404 ||
      (status >= 400 && /unknown table|table .*not (found|exist)|unable to find table/i.test(text))
    )
      return undefined;
    if (status !== 200)
      throw new Failure(
        `it answered ${status}${status === 401 || status === 403 ? ": the token is not valid, or may not read the account's analytics" : ""}`,
      );
    try {
      const value: unknown = JSON.parse(text);
      if (typeof value === "object" && value !== null) return value as Record<string, unknown>;
    } catch {
      // It is said below.
    }
    throw new Transient("its answer is no JSON", 2);
  });
}

/** @returns undefined where it is none, such as what somebody else has written there. */
function readOf(row: unknown): Read | undefined {
  if (typeof row !== "object" || row === null) return undefined;
  const { cache, nar, last_read: last } = row as Record<string, unknown>;
  const at = typeof last === "number" ? last : Date.parse(`${String(last).replace(" ", "T")}Z`) / 1000;
  const isRead =
    typeof cache === "string" && typeof nar === "string" && NAR_HASH.test(nar) && Number.isFinite(at);
  return isRead ? { cache, narHash: nar, at } : undefined;
}
