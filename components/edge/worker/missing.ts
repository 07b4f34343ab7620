import { answer } from "./answer.ts";
import { cacheControl } from "./cache-control.ts";
import type { Response } from "./platform.ts";

/** What every path gets that the edge does not have, or does not know. */
export function missing(isPublic = true): Response {
  return answer(404, "The edge does not have this.\n", {
    "cache-control": cacheControl("missing", isPublic),
  });
}
