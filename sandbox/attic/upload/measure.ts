import { createHash } from "node:crypto";

export interface Measure {
  /** `sha256:` and 64 hexadecimal digits, as Attic's tables have it. */
  hash: string;
  size: number;
}

/** Passes a stream on, and knows its hash and size once it has ended. */
export class Measured implements AsyncIterable<Buffer> {
  readonly #source: AsyncIterable<Buffer>;
  readonly #digest = createHash("sha256");
  #size = 0;

  constructor(source: AsyncIterable<Buffer>) {
    this.#source = source;
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Buffer, undefined> {
    for await (const piece of this.#source) {
      this.#digest.update(piece);
      this.#size += piece.length;
      yield piece;
    }
  }

  /** Ends the measuring. */
  result(): Measure {
    return { hash: `sha256:${this.#digest.digest("hex")}`, size: this.#size };
  }
}

/** Reads a stream to its end for nothing but its hash and size. */
export async function measure(source: AsyncIterable<Buffer>): Promise<Measure> {
  const measured = new Measured(source);
  const iterator = measured[Symbol.asyncIterator]();
  while ((await iterator.next()).done !== true);
  return measured.result();
}

export function measureBytes(bytes: Buffer): Measure {
  return { hash: `sha256:${createHash("sha256").update(bytes).digest("hex")}`, size: bytes.length };
}

export function isSame(one: Measure, other: Measure): boolean {
  return one.hash === other.hash && one.size === other.size;
}
