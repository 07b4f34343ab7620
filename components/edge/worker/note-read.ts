import type { Call } from "./call.ts";
import type { Response } from "./platform.ts";

/** What Analytics Engine takes as an index, in bytes. */
const LONGEST_INDEX = 96;

/**
 * Notes that a NAR was read, where bytes of it were answered. It is by the index that Analytics Engine samples when
 * there is much: each NAR of each cache has its own, so that the rare ones are not lost among the popular.
 */
export function noteRead(
  { request, environment }: Call,
  response: Response,
  cache: string,
  narHash: string,
): void {
  if (request.method !== "GET" || (response.status !== 200 && response.status !== 206)) return;
  try {
    const index = `${cache}/${narHash}`.slice(0, LONGEST_INDEX);
    environment.READS?.writeDataPoint({ indexes: [index], blobs: [cache, narHash] });
  } catch {
    console.error("edge: a read could not be noted");
  }
}
