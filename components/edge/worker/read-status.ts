import { type Status, STATUS_KEY } from "../layout.ts";
import type { Bucket } from "./call.ts";

/**
 * What the mirror's last run has left; undefined where it has never run.
 *
 * @throws Error where it is something else than a mirror of this version leaves.
 */
export async function readStatus(bucket: Bucket): Promise<Status | undefined> {
  const object = await bucket.get(STATUS_KEY);
  if (object === null) return undefined;
  const status = await object.json<Partial<Status> | null>();
  if (
    status?.version !== 1 ||
    typeof status.caches !== "object" ||
    Number.isNaN(Date.parse(status.finishedAt ?? ""))
  )
    throw new Error(`${STATUS_KEY} is not what the mirror leaves`);
  return status as Status;
}
