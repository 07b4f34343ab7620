import { brotliDecompressSync, zstdDecompressSync } from "node:zlib";

const MAGIC = 0xfd2fb528;

/** Undoes the compression that a narinfo names. */
export function decompress(compression: string, bytes: Buffer): Buffer {
  switch (compression) {
    case "none":
      return bytes;
    case "zstd":
      return Buffer.concat(zstdFrames(bytes).map((frame) => zstdDecompressSync(frame)));
    case "br":
      return brotliDecompressSync(bytes);
    default:
      throw new Error(`These tests cannot decompress ${compression}.`);
  }
}

/**
 * Splits a stream of zstd into its frames, which for a NAR of many chunks are as many: Node's own decompressor stops
 * after the first (RFC 8878, section 3.1).
 */
export function zstdFrames(bytes: Buffer): Buffer[] {
  const frames: Buffer[] = [];
  for (let start = 0; start < bytes.length;) {
    if (bytes.readUInt32LE(start) !== MAGIC) throw new Error(`There is no zstd frame at byte ${start}.`);
    const descriptor = bytes.readUInt8(start + 4);
    const isSingle = (descriptor & 0x20) !== 0;
    const contentSize = [isSingle ? 1 : 0, 2, 4, 8][descriptor >> 6] ?? 0;
    const dictionary = [0, 1, 2, 4][descriptor & 3] ?? 0;
    let end = start + 5 + (isSingle ? 0 : 1) + dictionary + contentSize;
    for (let isLast = false; !isLast;) {
      const header = bytes.readUIntLE(end, 3);
      isLast = (header & 1) !== 0;
      const isRepeated = ((header >> 1) & 3) === 1;
      end += 3 + (isRepeated ? 1 : header >> 3);
    }
    if ((descriptor & 4) !== 0) end += 4;
    frames.push(bytes.subarray(start, end));
    start = end;
  }
  return frames;
}
