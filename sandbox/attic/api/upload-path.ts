import { z } from "zod";
import { authorize } from "../access.ts";
import type { Attic } from "../attic.ts";
import { type HeldNar, holdNar, releaseNar } from "../database/nars.ts";
import { putObject } from "../database/objects.ts";
import { atMost, bodyOf, split } from "../http/body.ts";
import { type Call, inWords, json, type Reply } from "../http/call.ts";
import { refuse } from "../http/refusal.ts";
import { readNarHash } from "../nix/hash.ts";
import { isSame, measure, type Measure } from "../upload/measure.ts";
import { storeChunked, storeWhole, type Target } from "../upload/store-nar.ts";
import { cacheName, storePathHash } from "./fields.ts";

const INFO = "X-Attic-Nar-Info";
const PREAMBLE_SIZE = "X-Attic-Nar-Info-Preamble-Size";

const optionalText = z.string().nullish().default(null);

/** What a client says of a NAR that it sends. */
const narInfo = z.object({
  cache: cacheName,
  store_path_hash: storePathHash,
  store_path: z.string(),
  references: z.array(z.string()),
  system: optionalText,
  deriver: optionalText,
  sigs: z.array(z.string()),
  ca: optionalText,
  nar_hash: z.string().transform((text, context) => {
    const hash = readNarHash(text);
    if (hash !== undefined) return hash;
    context.addIssue("is not a SHA-256 hash");
    return z.NEVER;
  }),
  nar_size: z.int().nonnegative(),
});

/** Takes a path into a cache: the NAR is stored, or found stored. */
export async function uploadPath(attic: Attic, call: Call): Promise<Reply> {
  const { info, content } = await readInfo(attic, call);
  const { cache } = await authorize(attic, call.token, info.cache, "push");
  const claimed = { hash: info.nar_hash, size: info.nar_size };
  const target: Target = {
    cacheId: cache.id,
    storePathHash: info.store_path_hash,
    storePath: info.store_path,
    references: info.references,
    deriver: info.deriver,
    sigs: info.sigs,
    ca: info.ca,
    createdBy: call.token?.subject ?? null,
  };
  const existing = await holdNar(attic.database, claimed.hash);
  if (existing !== undefined) return await deduplicate(attic, existing, claimed, content, target);

  const threshold = attic.config.chunking["nar-size-threshold"];
  const store = threshold === 0 || claimed.size < threshold ? storeWhole : storeChunked;
  // What comes after as many bytes as were promised is not looked at, as in Attic.
  const stored = await store(attic, claimed, atMost(content, claimed.size), target);
  return json({ kind: "Uploaded", ...stored });
}

/** A NAR that is there is granted to the cache, where who pushes proves having it. */
async function deduplicate(
  { database, config }: Attic,
  nar: HeldNar,
  claimed: Measure,
  content: AsyncIterable<Buffer>,
  target: Target,
): Promise<Reply> {
  try {
    if (config["require-proof-of-possession"]) {
      const sent = await measure(content);
      if (!isSame(sent, claimed) || !isSame(sent, nar)) throw refuse.badRequest("Bad NAR Hash or Size");
    }
    await putObject(database, { ...target, narId: nar.id });
  } finally {
    await releaseNar(database, nar.id);
  }
  return json({ kind: "Deduplicated", frac_deduplicated: null });
}

/** Reads the NAR info from its header, or from the start of the body, where a large one stands. */
async function readInfo({ config }: Attic, { request }: Call) {
  const body = bodyOf(request);
  const size = request.headers[PREAMBLE_SIZE.toLowerCase()];
  if (size === undefined) {
    const header = request.headers[INFO.toLowerCase()];
    if (typeof header !== "string") throw refuse.badRequest(`${INFO} must be set`);
    // Node reads headers as Latin-1; this is JSON in UTF-8.
    return { info: parseInfo(Buffer.from(header, "latin1").toString()), content: body };
  }
  const length = Number(size);
  if (typeof size !== "string" || !/^\+?\d+$/.test(size))
    throw refuse.badRequest(`${PREAMBLE_SIZE} must be a valid unsigned integer`);
  if (length > config["max-nar-info-size"]) throw refuse.badRequest("Upload info is too large");
  const { head, rest } = await split(body, length);
  if (head.length < length) throw refuse.badRequest("Upload info doesn't match specified size");
  return { info: parseInfo(head.toString()), content: rest };
}

function parseInfo(text: string): z.infer<typeof narInfo> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw refuse.badRequest("the NAR info is not JSON");
  }
  const { success, data, error } = narInfo.safeParse(value);
  if (!success) throw refuse.badRequest(inWords(error));
  return data;
}
