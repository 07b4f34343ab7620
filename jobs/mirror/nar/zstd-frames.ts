import { Nonsense } from "../trouble.ts";

const MAGIC = 0xfd2fb528;
/** Magic and descriptor of a frame; what follows of its header is as long as the descriptor says. */
const FRAME = 5;
const BLOCK = 3;
const CHECKSUM = 4;

/** A piece of a frame, and whether the frame ends with it. */
export interface FramePiece {
  bytes: Buffer;
  isLast: boolean;
}

/**
 * Cuts a stream of zstd into its frames (RFC 8878, section 3.1): a NAR of many chunks is as many of them, and Node's
 * own decompressor stops after the first.
 */
export class ZstdFrames {
  /** Bytes of a header that has not come as a whole. */
  #held: Buffer = Buffer.alloc(0);
  /** Bytes that are still to come before what is next. */
  #left = 0;
  #next: "frame" | "block" | "end" = "frame";
  #hasChecksum = false;

  /** Whether a frame has begun and not ended. */
  get isInside(): boolean {
    return this.#next !== "frame" || this.#held.length > 0;
  }

  /** @throws Nonsense where this is no zstd. */
  *take(bytes: Buffer): Generator<FramePiece> {
    let rest = this.#held.length > 0 ? Buffer.concat([this.#held, bytes]) : bytes;
    // Up to here it is known what it is.
    let known = 0;
    for (;;) {
      const taken = Math.min(this.#left, rest.length - known);
      known += taken;
      this.#left -= taken;
      if (this.#left > 0) break;
      if (this.#next === "end") {
        yield { bytes: rest.subarray(0, known), isLast: true };
        rest = rest.subarray(known);
        known = 0;
        this.#next = "frame";
      }
      const header = this.#next === "frame" ? FRAME : BLOCK;
      if (rest.length - known < header) break;
      if (this.#next === "frame") this.#openFrame(rest, known);
      else this.#openBlock(rest, known);
      known += header;
    }
    if (known > 0) yield { bytes: rest.subarray(0, known), isLast: false };
    this.#held = Buffer.from(rest.subarray(known));
  }

  #openFrame(bytes: Buffer, at: number): void {
    if (bytes.readUInt32LE(at) !== MAGIC)
      throw new Nonsense("the NAR is not compressed by zstd, as the narinfo says");
    const descriptor = bytes.readUInt8(at + 4);
    const isSingle = (descriptor & 0x20) !== 0;
    const contentSize = [isSingle ? 1 : 0, 2, 4, 8][descriptor >> 6] ?? 0;
    const dictionary = [0, 1, 2, 4][descriptor & 3] ?? 0;
    this.#hasChecksum = (descriptor & 4) !== 0;
    this.#left = (isSingle ? 0 : 1) + dictionary + contentSize;
    this.#next = "block";
  }

  #openBlock(bytes: Buffer, at: number): void {
    const header = bytes.readUIntLE(at, BLOCK);
    const isLast = (header & 1) !== 0;
    const isRepeated = ((header >> 1) & 3) === 1;
    this.#left = (isRepeated ? 1 : header >> 3) + (isLast && this.#hasChecksum ? CHECKSUM : 0);
    this.#next = isLast ? "end" : "block";
  }
}
