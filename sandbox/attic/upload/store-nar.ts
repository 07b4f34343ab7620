import type { Attic } from "../attic.ts";
import { releaseChunk } from "../database/chunks.ts";
import { confirmNar, deleteNar, insertChunkRef, insertNar, insertPendingNar } from "../database/nars.ts";
import { type NewObject, putObject } from "../database/objects.ts";
import { inTransaction } from "../database/transaction.ts";
import { refuse } from "../http/refusal.ts";
import { chunksOfStream } from "./chunker.ts";
import { COMPRESSION_NAMES } from "./compress.ts";
import { isSame, type Measure, Measured } from "./measure.ts";
import { type StoredChunk, storeBytes, storeStream } from "./store-chunk.ts";

/** How many chunks of one upload are stored at once, and so in memory. */
const AT_ONCE = 10;

/** What a NAR is stored for. */
export type Target = Omit<NewObject, "narId">;

export interface Stored {
  file_size: number;
  /** Part of the NAR that was there, from 0 to 1; null where it was not cut into chunks. */
  frac_deduplicated: number | null;
}

/** Stores a NAR as one chunk, and the path that it is for. */
export async function storeWhole(
  attic: Attic,
  claimed: Measure,
  content: AsyncIterable<Buffer>,
  target: Target,
): Promise<Stored> {
  const chunk = await storeStream(attic, claimed, content);
  try {
    await inTransaction(attic.database, async (client) => {
      const narId = await insertNar(client, claimed, COMPRESSION_NAMES[attic.config.compression.type]);
      await insertChunkRef(client, narId, 0, chunk.id);
      await putObject(client, { ...target, narId });
    });
  } finally {
    await releaseChunk(attic.database, chunk.id);
  }
  return { file_size: Number(chunk.file_size), frac_deduplicated: null };
}

/** Stores a NAR as many chunks, of which those that are there are not stored again. */
export async function storeChunked(
  attic: Attic,
  claimed: Measure,
  content: AsyncIterable<Buffer>,
  target: Target,
): Promise<Stored> {
  const compression = COMPRESSION_NAMES[attic.config.compression.type];
  const narId = await insertPendingNar(attic.database, claimed, compression);
  const chunks: StoredChunk[] = [];
  try {
    const measured = new Measured(content);
    await storeAll(attic, narId, measured, chunks);
    if (!isSame(measured.result(), claimed)) throw refuse.badRequest("Bad NAR Hash or Size");
    await inTransaction(attic.database, async (client) => {
      await confirmNar(client, narId, chunks.length);
      await putObject(client, { ...target, narId });
    });
  } catch (error) {
    await deleteNar(attic.database, narId).catch(() => undefined);
    throw error;
  } finally {
    for (const { id } of chunks) await releaseChunk(attic.database, id);
  }
  const there = chunks.filter(({ deduplicated }) => deduplicated);
  return {
    file_size: sum(chunks.map(({ file_size: size }) => Number(size))),
    frac_deduplicated: sum(there.map(({ chunk_size: size }) => Number(size))) / claimed.size,
  };
}

/** @param stored gets every chunk that was stored, also where another fails. */
async function storeAll(
  attic: Attic,
  narId: string,
  content: AsyncIterable<Buffer>,
  stored: StoredChunk[],
): Promise<void> {
  const running = new Set<Promise<void>>();
  const failures: unknown[] = [];
  const store = async (bytes: Buffer, place: number) => {
    const chunk = await storeBytes(attic, bytes);
    stored.push(chunk);
    await insertChunkRef(attic.database, narId, place, chunk.id);
  };
  let place = 0;
  try {
    for await (const bytes of chunksOfStream(content, attic.config.chunking)) {
      const task: Promise<void> = store(bytes, place)
        .catch((error: unknown) => failures.push(error))
        .then(() => void running.delete(task));
      running.add(task);
      place += 1;
      if (running.size >= AT_ONCE) await Promise.race(running);
      if (failures.length > 0) break;
    }
  } finally {
    await Promise.all(running);
  }
  if (failures.length > 0) throw failures[0];
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
