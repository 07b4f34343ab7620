import { createHash, randomBytes } from "node:crypto";
import type { ServerResponse } from "node:http";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { zstdCompressSync } from "node:zlib";
import { toNixBase32 } from "../../../../sandbox/attic/nix/base32.ts";
import type { MirrorWorld } from "../../../support/mirror.ts";
import type { Fault } from "../../../support/proxy.ts";

/** A store path of which the server has no more than the rows: its NAR is made when it is asked for. */
export interface Synthetic {
  hash: string;
  narSize: number;
}

const CHUNK = 2 ** 18;
const MIB = 2 ** 20;

/** Puts rows for a NAR of so many MiB into the server's tables, as so many chunks. @returns it and how it is served. */
export async function bigPath(
  world: MirrorWorld,
  cache: string,
  size: number,
): Promise<{ path: Synthetic; serve: Fault }> {
  const chunk = randomBytes(CHUNK);
  const frame = zstdCompressSync(chunk);
  const count = (size * MIB) / CHUNK;
  const narHash = createHash("sha256");
  for (let index = 0; index < count; index += 1) narHash.update(chunk);
  const hash = toNixBase32(randomBytes(20));
  const path = { hash, narSize: count * CHUNK };
  await insertRows(world, cache, [hash], `sha256:${narHash.digest("hex")}`, path.narSize);
  const serve: Fault = (seen, response) => {
    if (!seen.path.endsWith(`/nar/${hash}.nar`)) return false;
    response.writeHead(200, { "content-type": "application/x-nix-nar" });
    void repeat(response, frame, count);
    return true;
  };
  return { path, serve };
}

/** Puts rows for paths that all have one NAR into the server's tables. */
export async function insertRows(
  world: MirrorWorld,
  cache: string,
  hashes: readonly string[],
  narHash: string,
  narSize: number,
): Promise<void> {
  await world.sql(
    `WITH made AS (
       INSERT INTO nar (state, nar_hash, nar_size, compression, num_chunks, created_at)
       VALUES ('V', $1, $2, 'zstd', 1, now()) RETURNING id)
     INSERT INTO object (cache_id, nar_id, store_path_hash, store_path, "references", sigs, created_at)
     SELECT cache.id, made.id, hash, '/nix/store/' || hash || '-synthetic', '[]', '[]', now()
     FROM made, cache, unnest($3::text[]) AS hash WHERE cache.name = $4`,
    [narHash, narSize, hashes, cache],
  );
}

async function repeat(response: ServerResponse, frame: Buffer, count: number): Promise<void> {
  const frames = function* () {
    for (let index = 0; index < count; index += 1) yield frame;
  };
  // Who asked may go away half way.
  await pipeline(Readable.from(frames()), response).catch(() => undefined);
}
