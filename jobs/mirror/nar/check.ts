import { createHash } from "node:crypto";
import { once } from "node:events";
import type { Transform } from "node:stream";
import { createBrotliDecompress, createZstdDecompress, zstdDecompressSync } from "node:zlib";
import { Nonsense, wordsOf } from "../trouble.ts";
import { toBase32 } from "./base32.ts";
import { ZstdFrames } from "./zstd-frames.ts";

/** What a NAR has to be, decompressed. */
export interface Expected {
  /** SHA-256 in base 32. */
  narHash: string;
  /** In bytes. */
  narSize: number;
}

/** A frame of this many bytes, and one that becomes this many, is decompressed in one go, which costs less. */
const SMALL_FRAME = 2 ** 20;
const SMALL_OUTPUT = 4 * 2 ** 20;

/** How the files of each compression are called; of the rest it cannot be checked what is in them. */
export const EXTENSIONS: Readonly<Record<string, string>> = { none: "", zstd: ".zst", br: ".br" };

/** Reads a NAR as it comes, compressed, and says in the end whether it is the one that was asked for. */
export class NarCheck {
  readonly #expected: Expected;
  readonly #compression: string;
  readonly #hash = createHash("sha256");
  #size = 0;
  #taken = 0;
  readonly #frames = new ZstdFrames();
  #gathered: Buffer[] = [];
  #gatheredSize = 0;
  #decoder: Decoder | undefined;

  constructor(compression: string, expected: Expected) {
    this.#compression = compression;
    this.#expected = expected;
    if (compression === "br") this.#decoder = new Decoder(createBrotliDecompress(), this.#sink);
  }

  /** @throws Nonsense as soon as it is known that this is not the NAR. */
  async take(bytes: Buffer): Promise<void> {
    this.#taken += bytes.length;
    if (this.#compression === "zstd")
      for (const { bytes: piece, isLast } of this.#frames.take(bytes)) await this.#takeFrame(piece, isLast);
    else if (this.#decoder !== undefined) await this.#decoder.write(bytes);
    else this.#sink(bytes);
    if (this.#size > this.#expected.narSize) throw this.#different();
  }

  /** @throws Nonsense where this was not the NAR, or not all of it. */
  async finish(): Promise<void> {
    if (this.#compression === "zstd" && this.#frames.isInside) throw new Nonsense("the NAR is cut off");
    if (this.#compression === "br") {
      await this.#decoder?.end();
      // Nix reads the first stream only.
      if (this.#decoder?.consumed !== this.#taken) throw this.#different();
    }
    if (this.#size !== this.#expected.narSize || toBase32(this.#hash.digest()) !== this.#expected.narHash)
      throw this.#different();
  }

  readonly #sink = (bytes: Buffer): void => {
    this.#size += bytes.length;
    this.#hash.update(bytes);
  };

  async #takeFrame(piece: Buffer, isLast: boolean): Promise<void> {
    if (this.#decoder === undefined) {
      this.#gathered.push(piece);
      this.#gatheredSize += piece.length;
      if (this.#gatheredSize <= SMALL_FRAME && !isLast) return;
      const frame = Buffer.concat(this.#gathered);
      this.#gathered = [];
      this.#gatheredSize = 0;
      if (isLast && this.#takeWhole(frame)) return;
      this.#decoder = new Decoder(createZstdDecompress(), this.#sink);
      await this.#decoder.write(frame);
    } else await this.#decoder.write(piece);
    if (!isLast) return;
    await this.#decoder.end();
    this.#decoder = undefined;
  }

  /** @returns false where what is in it is large. */
  #takeWhole(frame: Buffer): boolean {
    try {
      this.#sink(zstdDecompressSync(frame, { maxOutputLength: SMALL_OUTPUT }));
      return true;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "ERR_BUFFER_TOO_LARGE") return false;
      throw new Nonsense(`the NAR is corrupt: ${wordsOf(error)}`);
    }
  }

  #different(): Nonsense {
    return new Nonsense(
      `the NAR is another one than the narinfo says: its hash should be sha256:${this.#expected.narHash}, its size ${this.#expected.narSize}`,
    );
  }
}

/** A decompressor that is fed no faster than it works. */
class Decoder {
  readonly #stream: Transform & { bytesWritten: number };
  readonly #ended: Promise<void>;

  constructor(stream: Transform & { bytesWritten: number }, sink: (bytes: Buffer) => void) {
    this.#stream = stream;
    this.#ended = new Promise((resolve, reject) => {
      stream.on("data", sink).once("end", resolve);
      stream.on("error", (error) => {
        reject(new Nonsense(`the NAR is corrupt: ${wordsOf(error)}`));
      });
    });
    this.#ended.catch(() => undefined);
  }

  /** How many of the bytes belong to what was decompressed. */
  get consumed(): number {
    return this.#stream.bytesWritten;
  }

  async write(bytes: Buffer): Promise<void> {
    if (!this.#stream.write(bytes))
      await Promise.race([once(this.#stream, "drain").catch(() => undefined), this.#ended]);
  }

  async end(): Promise<void> {
    this.#stream.end();
    await this.#ended;
  }
}
