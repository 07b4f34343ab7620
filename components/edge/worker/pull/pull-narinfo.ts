import type { EdgeCache } from "../../layout.ts";
import { answer } from "../answer.ts";
import { cacheControl } from "../cache-control.ts";
import type { Call } from "../call.ts";
import type { Response } from "../platform.ts";
import { originNarinfo } from "./origin-narinfo.ts";

/**
 * What the server says of a path of a public cache; undefined where it is not to be asked, or does not have it.
 *
 * Kept nowhere. Its URL names the NAR by its content, which the signature does not cover: so what is kept of the NAR
 * can never be taken for that of another build of the same path.
 */
export async function pullNarinfo(
  { edge }: Call,
  cache: EdgeCache,
  hash: string,
): Promise<Response | undefined> {
  const { pullThrough } = edge.config;
  const found = pullThrough === undefined ? undefined : await originNarinfo(pullThrough, cache, hash);
  if (found === undefined) return undefined;
  const text = [...found.lines, `URL: nar/${found.narHash}-${hash}.nar`, ""].join("\n");
  return answer(200, text, {
    "content-type": "text/x-nix-narinfo",
    "cache-control": cacheControl("narinfo", true),
  });
}
