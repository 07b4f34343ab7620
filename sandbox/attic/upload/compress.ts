import { pipeline, Readable, type Transform } from "node:stream";
import { promisify } from "node:util";
import { brotliCompress, constants, createBrotliCompress, createZstdCompress, zstdCompress } from "node:zlib";
import type { Compression } from "../config/schema.ts";

/** The names that the types have in the tables and in a narinfo. */
export const COMPRESSION_NAMES = { none: "none", brotli: "br", zstd: "zstd" } as const;

/** Compresses a stream; what goes wrong on either side ends both. */
export function compress(source: AsyncIterable<Buffer>, { type, level }: Compression): AsyncIterable<Buffer> {
  if (type === "none") return source;
  const encoder = encoderOf(type, level);
  // Who reads the encoder gets the error; there is nobody else to tell.
  pipeline(Readable.from(source, { objectMode: false }), encoder, () => undefined);
  return encoder as AsyncIterable<Buffer>;
}

/** The same for bytes that are all there, which costs much less: the encoder knows how little room it needs. */
export async function compressBytes(bytes: Buffer, { type, level }: Compression): Promise<Buffer> {
  if (type === "none") return bytes;
  return type === "zstd"
    ? await promisify(zstdCompress)(bytes, zstdOptions(level))
    : await promisify(brotliCompress)(bytes, brotliOptions(level));
}

function encoderOf(type: "brotli" | "zstd", level: number): Transform {
  return type === "zstd"
    ? createZstdCompress(zstdOptions(level))
    : createBrotliCompress(brotliOptions(level));
}

function zstdOptions(level: number) {
  return { params: { [constants.ZSTD_c_compressionLevel]: level } };
}

function brotliOptions(level: number) {
  return { params: { [constants.BROTLI_PARAM_QUALITY]: level } };
}
