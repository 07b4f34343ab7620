import type { EdgeCache } from "../layout.ts";
import { answer } from "./answer.ts";
import { cacheControl } from "./cache-control.ts";
import type { Response } from "./platform.ts";

/** What Nix asks first, made from the configuration: so it can be had before the mirror has ever run. */
export function cacheInfo({ storeDir, priority, isPublic }: EdgeCache): Response {
  return answer(200, `StoreDir: ${storeDir}\nWantMassQuery: 1\nPriority: ${priority}\n`, {
    "content-type": "text/x-nix-cache-info",
    "cache-control": cacheControl("narinfo", isPublic),
  });
}
