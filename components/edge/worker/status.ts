import type { CacheStatus, Status } from "../layout.ts";
import { mayPull } from "./access.ts";
import { answer } from "./answer.ts";
import type { Call } from "./call.ts";
import type { Response } from "./platform.ts";
import { readStatus } from "./read-status.ts";

/** How the mirror stands, without the caches that the asker may not pull from. */
export async function status(call: Call): Promise<Response> {
  const found = await readStatus(call.environment.BUCKET);
  if (found === undefined) return answer(404, "The mirror has not finished a run yet.\n");
  const { version, startedAt, finishedAt, ok, caches } = found;
  const shown: Record<string, CacheStatus> = {};
  for (const [name, of] of Object.entries(caches)) {
    const cache = call.edge.byName.get(name);
    if (cache !== undefined && (cache.isPublic || (await mayPull(call, name)))) shown[name] = of;
  }
  // Field by field: nothing gets out here that a later mirror may write beside them.
  const text = JSON.stringify({ version, startedAt, finishedAt, ok, caches: shown } satisfies Status);
  return answer(200, `${text}\n`, { "content-type": "application/json" });
}
