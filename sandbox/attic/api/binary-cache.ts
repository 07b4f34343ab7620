import { Readable } from "node:stream";
import { Access, authorize } from "../access.ts";
import type { Attic } from "../attic.ts";
import { filesOfNar } from "../database/chunks.ts";
import { findObject, type FoundObject, noteAccess } from "../database/objects.ts";
import type { Call, Reply } from "../http/call.ts";
import { refuse } from "../http/refusal.ts";
import { narInfo } from "../nix/narinfo.ts";
import type { RemoteFile, Store } from "../storage/store.ts";
import { storePathHash } from "./fields.ts";

/** What Nix asks first. */
export async function getNixCacheInfo(attic: Attic, { token, params }: Call): Promise<Reply> {
  const { cache } = await authorize(attic, token, params.cache ?? "", "pull");
  return {
    status: 200,
    headers: { "content-type": "text/x-nix-cache-info", ...visibility(cache) },
    body: `WantMassQuery: 1\nStoreDir: ${cache.store_dir}\nPriority: ${cache.priority}\n`,
  };
}

export async function getNarInfo(attic: Attic, call: Call): Promise<Reply> {
  const object = await pulled(attic, call, "narinfo");
  return {
    status: 200,
    headers: { "content-type": "text/x-nix-narinfo", ...visibility(object) },
    body: narInfo(object),
  };
}

/**
 * A NAR, compressed: by a presigned address where it is one chunk in a bucket, else streamed through here. Only
 * this moves the time of the last access.
 */
export async function getNar(attic: Attic, call: Call): Promise<Reply> {
  const object = await pulled(attic, call, "nar");
  const chunks = await filesOfNar(attic.database, object.nar_id);
  if (chunks.length !== object.num_chunks)
    throw new Error(
      `the NAR ${object.nar_id} should have ${object.num_chunks} chunks, and has ${chunks.length}`,
    );
  const files = chunks.filter((file) => file !== undefined);
  if (files.length < chunks.length) throw refuse.incompleteNar();
  await noteAccess(attic.database, object.id);
  const [only] = files;
  if (files.length === 1 && only !== undefined && attic.store.publicUrl !== undefined) {
    const location = await attic.store.publicUrl(only);
    return { status: 307, headers: { location, ...visibility(object) } };
  }
  return {
    status: 200,
    headers: { "content-type": "application/x-nix-nar", ...visibility(object) },
    body: await joined(attic.store, files),
  };
}

/**
 * Finds what is asked for by `HASH.KIND`.
 *
 * @throws Refusal: who has no token learns here, in a private cache too, whether a path is in it, because Attic
 *   looks for the path before it asks who wants it.
 */
async function pulled(attic: Attic, { params, token }: Call, kind: string): Promise<FoundObject> {
  const { cache = "", path = "" } = params;
  const dot = path.indexOf(".");
  if (dot < 0 || path.slice(dot + 1) !== kind) throw refuse.notFound();
  const { success, data: hash } = storePathHash.safeParse(path.slice(0, dot));
  if (!success) throw refuse.badStorePathHash();
  const object = await findObject(attic.database, cache, hash);
  if (object === undefined) throw refuse.noSuchObject();
  new Access(token, cache, object.is_public).require("pull");
  return object;
}

/** Chunks are frames of their own, which decompress to the NAR one after the other. */
async function joined(store: Store, [first, ...rest]: readonly RemoteFile[]): Promise<Readable> {
  if (first === undefined) return Readable.from([]);
  // This one is opened here, so that a store that is gone is an answer of 500 and not half an answer.
  const start = await store.read(first);
  const pieces = async function* () {
    yield* start;
    for (const file of rest) yield* await store.read(file);
  };
  const all = Readable.from(pieces(), { objectMode: false });
  return all.once("close", () => start.destroy());
}

function visibility({ is_public: isPublic }: { is_public: boolean }): Record<string, string> {
  return isPublic ? { "x-attic-cache-visibility": "public" } : {};
}
