import { constants, zstdCompressSync, zstdDecompressSync } from "node:zlib";
import type { Entry, Orphan, Summary } from "./entries.ts";

/** How many characters are compressed together, and how many more there may be. */
const BLOCK = 2 ** 17;
const LARGEST_BLOCK = 128 * BLOCK;
/** In the length of a block: no paths of caches come any more. */
const TAIL = 0x80000000;
const OPTIONS = { params: { [constants.ZSTD_c_compressionLevel]: 3, [constants.ZSTD_c_checksumFlag]: 1 } };

/** An index that cannot be read: the bucket tells the truth then. */
export class Damaged extends Error {
  override readonly name = "Damaged";
}

/**
 * What the mirror remembers of the bucket. Kept as the bytes that it is in the bucket, because a hundred thousand
 * objects take ten times the memory; each pass over it decompresses a block after the other.
 *
 * A block is its length in four bytes and a zstd frame with a checksum. In the frames are lines: `=cache` before the
 * paths of a cache; then, in blocks of their own that are found without reading the others, `-cache` before its orphans,
 * and last of all the summary as JSON, without which it is not whole.
 */
export class Index {
  readonly #bytes: Buffer;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  /** One that knows of nothing. */
  static empty(): Index {
    const writer = new IndexWriter();
    return new Index(writer.finish({ version: 1, run: "", listedAt: 0, caches: {} }));
  }

  /** In their order. @throws Damaged */
  *entries(): Generator<Entry, undefined> {
    let cache: string | undefined;
    for (const line of this.#lines(false)) {
      if (line.startsWith("=")) cache = line.slice(1);
      else if (cache !== undefined) yield entryOf(cache, line);
    }
  }

  /** @throws Damaged */
  orphansAndSummary(): { orphans: Orphan[]; summary: Summary } {
    const orphans: Orphan[] = [];
    let cache: string | undefined;
    let last = "";
    for (const line of this.#lines(true)) {
      last = line;
      if (line.startsWith("-")) cache = line.slice(1);
      else if (cache !== undefined && !line.startsWith("{")) orphans.push(orphanOf(cache, line));
    }
    return { orphans, summary: summaryOf(last) };
  }

  /** The lines of the blocks at the end, or of those before. */
  *#lines(ofTail: boolean): Generator<string, undefined> {
    for (let at = 0; at < this.#bytes.length;) {
      const head = at + 4 <= this.#bytes.length ? this.#bytes.readUInt32LE(at) : 0;
      const start = at + 4;
      at = start + (head & ~TAIL);
      if (at > this.#bytes.length || at === start) throw new Damaged("the index is cut off");
      if (((head & TAIL) !== 0) !== ofTail) continue;
      const lines = textOf(this.#bytes.subarray(start, at)).split("\n");
      lines.pop();
      yield* lines;
    }
  }
}

function textOf(block: Buffer): string {
  try {
    // In one piece, because many small ones are many to clear away.
    return zstdDecompressSync(block, { maxOutputLength: LARGEST_BLOCK, chunkSize: 2 * BLOCK }).toString(
      "latin1",
    );
  } catch {
    throw new Damaged("the index is corrupt");
  }
}

/** Takes entries in their order, then orphans. */
export class IndexWriter {
  readonly #blocks: Buffer[] = [];
  #text = "";
  #section = "";
  #isTail = false;

  entry({ cache, hash, file, fileHash, fileSize, stamp, etag }: Entry): void {
    this.#open(`=${cache}`);
    this.#line(`${hash} ${file} ${fileHash} ${fileSize} ${stamp} ${etag}`);
  }

  orphan({ cache, file, fileHash, fileSize, since }: Orphan): void {
    this.#beginTail();
    this.#open(`-${cache}`);
    this.#line(`${file} ${fileHash} ${fileSize} ${since}`);
  }

  finish(summary: Summary): Buffer {
    this.#beginTail();
    this.#line(JSON.stringify(summary));
    this.#flush();
    return Buffer.concat(this.#blocks);
  }

  #beginTail(): void {
    if (!this.#isTail && this.#text !== "") this.#flush();
    this.#isTail = true;
  }

  #open(section: string): void {
    if (section !== this.#section) this.#line(section);
    this.#section = section;
  }

  #line(line: string): void {
    this.#text += `${line}\n`;
    if (this.#text.length >= BLOCK) this.#flush();
  }

  #flush(): void {
    const frame = zstdCompressSync(Buffer.from(this.#text, "latin1"), OPTIONS);
    const length = Buffer.alloc(4);
    length.writeUInt32LE(frame.length + (this.#isTail ? TAIL : 0));
    this.#blocks.push(length, frame);
    this.#text = "";
  }
}

function entryOf(cache: string, line: string): Entry {
  const [hash, file, fileHash, fileSize, stamp, etag] = line.split(" ");
  if (
    hash === undefined ||
    file === undefined ||
    fileHash === undefined ||
    etag === undefined ||
    stamp === undefined
  )
    throw new Damaged("the index is of another version");
  return { cache, hash, file, fileHash, fileSize: Number(fileSize), stamp, etag };
}

function orphanOf(cache: string, line: string): Orphan {
  const [file, fileHash, fileSize, since] = line.split(" ");
  if (file === undefined || fileHash === undefined || since === undefined)
    throw new Damaged("the index is of another version");
  return { cache, file, fileHash, fileSize: Number(fileSize), since: Number(since) };
}

function summaryOf(line: string): Summary {
  try {
    const summary = JSON.parse(line) as Partial<Summary> | null;
    if (summary?.version === 1 && typeof summary.run === "string" && typeof summary.caches === "object")
      return summary as Summary;
  } catch {
    // It is said below.
  }
  throw new Damaged("the index has no end");
}
