import { createHash, randomBytes } from "node:crypto";
import { narKey } from "../../../components/edge/layout.ts";
import type { NarFile } from "../narinfo.ts";
import type { Bucket, Content, Upload } from "../s3/bucket.ts";
import { Nonsense, Stopped } from "../trouble.ts";
import { toBase32 } from "./base32.ts";
import { EXTENSIONS, type Expected, NarCheck } from "./check.ts";

/** The size of a part, and of the largest file that is sent in one piece, in bytes. */
const PART = 8 * 2 ** 20;
/** How many parts an upload may have, with some to spare. */
const MOST_PARTS = 9_500;
const TYPE = "application/x-nix-nar";

/** How large the parts of a NAR's file are: all of the same size, as R2 wants it, and few enough. */
export function partSize(narSize: number): number {
  // What cannot be compressed becomes a little larger.
  const most = narSize * 1.02 + 2 ** 20;
  return Math.max(PART, Math.ceil(most / MOST_PARTS / 2 ** 20) * 2 ** 20);
}

/** Memory that the transfer of such a NAR takes at most, in bytes: one part comes while another one goes. */
export function memoryOf(narSize: number): number {
  const part = partSize(narSize);
  return narSize + 2 ** 16 <= part ? narSize + 2 ** 16 : 2 * part;
}

export interface Transfer {
  cache: string;
  compression: string;
  expected: Expected;
  /** The NAR, compressed. */
  source: AsyncIterable<Buffer>;
  abort: AbortSignal;
}

/**
 * Puts a NAR into the bucket as it comes, and checks it on the way. What is not the NAR that it should be never
 * becomes an object.
 *
 * @throws Nonsense where it is not; Transient of the source; Failure of the bucket.
 */
export async function transfer(
  bucket: Bucket,
  { cache, compression, expected, source, abort }: Transfer,
): Promise<NarFile> {
  const extension = EXTENSIONS[compression];
  if (extension === undefined)
    throw new Nonsense(`it cannot be checked what is in a NAR compressed by ${compression}`);
  const file = `${expected.narHash}-${suffix()}.nar${extension}`;
  const check = new NarCheck(compression, expected);
  const fileHash = createHash("sha256");
  const sink = new PartSink(bucket, narKey(cache, file), partSize(expected.narSize), abort);
  let fileSize = 0;
  try {
    for await (const bytes of source) {
      if (abort.aborted) throw new Stopped("the run was asked to end");
      fileHash.update(bytes);
      fileSize += bytes.length;
      await check.take(bytes);
      await sink.take(bytes);
    }
    await check.finish();
    await sink.finish();
  } catch (error) {
    await sink.abort();
    throw error;
  }
  return { file, fileHash: toBase32(fileHash.digest()), fileSize };
}

/** Tells this upload from any other, in letters of Nix's base 32 but of 62 bits. */
function suffix(): string {
  return toBase32(randomBytes(8)).slice(-12);
}

/** Gathers bytes to parts; what is no more than one is one object, sent when all is there. */
class PartSink {
  readonly #bucket: Bucket;
  readonly #key: string;
  readonly #partSize: number;
  readonly #stop: AbortSignal;
  #part = new Part();
  #upload: Upload | undefined;
  /** The ETags of the parts that are there or on their way. */
  readonly #etags: Promise<string>[] = [];
  #size = 0;

  constructor(bucket: Bucket, key: string, size: number, stop: AbortSignal) {
    this.#bucket = bucket;
    this.#key = key;
    this.#partSize = size;
    this.#stop = stop;
  }

  async take(bytes: Buffer): Promise<void> {
    this.#size += bytes.length;
    for (let rest = bytes; rest.length > 0;) {
      const piece = rest.subarray(0, this.#partSize - this.#part.size);
      rest = rest.subarray(piece.length);
      this.#part.add(piece);
      // Something has to be left for the end, where it is found whether there is more than one part.
      if (this.#part.size === this.#partSize) await this.#send();
    }
  }

  async finish(): Promise<void> {
    if (this.#upload === undefined) {
      await this.#bucket.put(this.#key, this.#part.content(), TYPE);
      return;
    }
    if (this.#part.size > 0) await this.#send();
    const etags = await Promise.all(this.#etags);
    await this.#bucket.completeUpload(this.#upload, etags, this.#size);
  }

  async abort(): Promise<void> {
    await Promise.allSettled(this.#etags);
    if (this.#upload !== undefined) await this.#bucket.abortUpload(this.#upload).catch(() => undefined);
  }

  /** Sends a part once the one before it has arrived. */
  async #send(): Promise<void> {
    this.#upload ??= await this.#bucket.beginUpload(this.#key, TYPE);
    await this.#etags.at(-1);
    const sent = this.#bucket.putPart(this.#upload, this.#etags.length + 1, this.#part.content(), this.#stop);
    // It is waited for later.
    sent.catch(() => undefined);
    this.#etags.push(sent);
    this.#part = new Part();
  }
}

class Part {
  size = 0;
  readonly #pieces: Buffer[] = [];
  readonly #hash = createHash("sha256");

  add(piece: Buffer): void {
    this.#pieces.push(piece);
    this.#hash.update(piece);
    this.size += piece.length;
  }

  content(): Content {
    return { pieces: this.#pieces, size: this.size, sha256: this.#hash.digest("hex") };
  }
}
