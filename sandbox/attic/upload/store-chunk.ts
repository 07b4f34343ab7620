import { randomUUID } from "node:crypto";
import type { Attic } from "../attic.ts";
import {
  type Chunk,
  confirmChunk,
  deleteChunk,
  holdChunk,
  insertPendingChunk,
  releaseChunk,
} from "../database/chunks.ts";
import { refuse } from "../http/refusal.ts";
import { compress, compressBytes, COMPRESSION_NAMES } from "./compress.ts";
import { isSame, type Measure, measure, measureBytes, Measured } from "./measure.ts";

export interface StoredChunk extends Chunk {
  /** Whether it was there before. */
  deduplicated: boolean;
}

/**
 * Stores bytes whose hash is known to be right, or finds them stored.
 *
 * @returns the chunk, held: who has referred to it must let it go by `releaseChunk`.
 */
export async function storeBytes(attic: Attic, bytes: Buffer): Promise<StoredChunk> {
  const exact = measureBytes(bytes);
  const existing = await hold(attic, exact);
  if (existing !== undefined) return existing;
  return await upload(attic, exact, async (name) => {
    const file = await compressBytes(bytes, attic.config.compression);
    await attic.store.put(name, oneOf(file));
    return { raw: exact, stored: measureBytes(file) };
  });
}

/**
 * The same for a stream of which a client says what its hash and size are. Where the chunk is there, who pushes
 * has to send it all the same, to prove having it.
 *
 * @throws Refusal where what it says is not so.
 */
export async function storeStream(
  attic: Attic,
  claimed: Measure,
  content: AsyncIterable<Buffer>,
): Promise<StoredChunk> {
  const existing = await hold(attic, claimed);
  if (existing === undefined) {
    return await upload(attic, claimed, async (name) => {
      const raw = new Measured(content);
      const stored = new Measured(compress(raw, attic.config.compression));
      await attic.store.put(name, stored);
      return { raw: raw.result(), stored: stored.result() };
    });
  }
  if (!attic.config["require-proof-of-possession"]) return existing;
  try {
    if (!isSame(await measure(content), claimed)) throw refuse.badRequest("Bad chunk hash or size");
    return existing;
  } catch (error) {
    await releaseChunk(attic.database, existing.id);
    throw error;
  }
}

async function hold({ database, config }: Attic, claimed: Measure): Promise<StoredChunk | undefined> {
  const chunk = await holdChunk(database, claimed, COMPRESSION_NAMES[config.compression.type]);
  return chunk && { ...chunk, deduplicated: true };
}

/** @param write puts the chunk into the store under a name, and says what it was before and is there. */
async function upload(
  { database, store, config }: Attic,
  claimed: Measure,
  write: (name: string) => Promise<{ raw: Measure; stored: Measure }>,
): Promise<StoredChunk> {
  const name = `${randomUUID()}.chunk`;
  const file = store.reference(name);
  const compression = COMPRESSION_NAMES[config.compression.type];
  const id = await insertPendingChunk(database, claimed, compression, file, store.referenceId(name));
  try {
    const { raw, stored } = await write(name);
    if (!isSame(raw, claimed)) throw refuse.badRequest("Bad chunk hash or size");
    return { ...(await confirmChunk(database, id, stored)), deduplicated: false };
  } catch (error) {
    await store.delete(file).catch(() => undefined);
    await deleteChunk(database, id).catch(() => undefined);
    throw error;
  }
}

// eslint-disable-next-line @typescript-eslint/require-await -- a stream of one piece
async function* oneOf(bytes: Buffer): AsyncGenerator<Buffer, undefined> {
  yield bytes;
}
