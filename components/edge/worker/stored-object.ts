import type { R2Object } from "@cloudflare/workers-types";
import type { Bucket } from "./call.ts";
import { conditional, isPlain } from "./conditional.ts";
import type { Facts } from "./conditions.ts";
import { type Kind, partial, whole } from "./object-answer.ts";
import type { Request, Response } from "./platform.ts";

/**
 * Answers with an object of the bucket, which streams through; undefined where there is none.
 *
 * One read answers the plain GET that Nix sends. Where conditions or a range are asked for, the object's facts come
 * first, and then a part of the very object that they are of: what has taken its place meanwhile is answered in full.
 */
export async function storedObject(
  bucket: Bucket,
  key: string,
  request: Request,
  kind: Kind,
): Promise<Response | undefined> {
  const readWhole = async () => {
    const object = await bucket.get(key);
    return object === null ? undefined : whole(factsOf(object), kind, object.body);
  };
  if (isPlain(request)) return await readWhole();
  const object = await bucket.head(key);
  if (object === null) return undefined;
  return await conditional(request, factsOf(object), kind, async (part) => {
    if (part === undefined) return await readWhole();
    const range = { offset: part.first, length: part.last - part.first + 1 };
    const read = await bucket.get(key, { range, onlyIf: { etagMatches: object.etag } });
    return read !== null && "body" in read
      ? partial(factsOf(read), kind, part, read.body)
      : await readWhole();
  });
}

export function factsOf({ httpEtag, uploaded, size }: R2Object): Facts {
  return { etag: httpEtag, modified: uploaded, size };
}
