import { createHash } from "node:crypto";
import type { Chunking } from "../config/schema.ts";

/** A number for each byte, which looks like chance and is the same in every process. */
const GEAR = Uint32Array.from({ length: 256 }, (_, byte) =>
  createHash("sha256").update(Uint8Array.of(byte)).digest().readUInt32LE(),
);

/**
 * Cuts a stream where its content says so, so that a change in one place leaves the chunks of other places as they
 * were. The places are not those of the real server, whose chunks are so not found again.
 */
export async function* chunksOfStream(
  source: AsyncIterable<Buffer>,
  chunking: Chunking,
): AsyncGenerator<Buffer, undefined> {
  const largest = Math.max(1, chunking["max-size"]);
  let pieces: Buffer[] = [];
  let length = 0;
  for await (const piece of source) {
    pieces.push(piece);
    length += piece.length;
    if (length < largest) continue;
    let bytes = Buffer.concat(pieces);
    while (bytes.length >= largest) {
      const cut = cutPoint(bytes, chunking);
      yield bytes.subarray(0, cut);
      bytes = bytes.subarray(cut);
    }
    pieces = [bytes];
    length = bytes.length;
  }
  for (let bytes = Buffer.concat(pieces); bytes.length > 0;) {
    const cut = cutPoint(bytes, chunking);
    yield bytes.subarray(0, cut);
    bytes = bytes.subarray(cut);
  }
}

/** Where the first chunk ends: after the least size, where the last 32 bytes have a rolling hash of many zeros. */
function cutPoint(bytes: Buffer, chunking: Chunking): number {
  const { "min-size": least, "avg-size": usual, "max-size": most } = chunking;
  const end = Math.min(bytes.length, Math.max(1, most));
  const zeros = Math.min(31, Math.max(1, Math.round(Math.log2(Math.max(2, usual - least)))));
  let hash = 0;
  for (let place = Math.min(least, end); place < end; place += 1) {
    hash = ((hash << 1) + (GEAR[bytes[place] ?? 0] ?? 0)) | 0;
    if (hash >>> (32 - zeros) === 0) return place + 1;
  }
  return end;
}
