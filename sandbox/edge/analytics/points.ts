import { appendFile, mkdir } from "node:fs/promises";
import { join } from "node:path";
import { readIfThere, writeFileAtomically } from "../../support/files.ts";

/** How long points are kept, in milliseconds: Cloudflare says three months. */
export const RETENTION = 92 * 24 * 3_600_000;
/** Cloudflare's limits of a point: how many of each, and the bytes of an index and of all blobs. */
const MOST = { indexes: 1, blobs: 20, doubles: 20, indexBytes: 96, blobBytes: 16 * 1024 };

export interface Point {
  /** Milliseconds. */
  time: number;
  indexes: (string | null)[];
  blobs: (string | null)[];
  doubles: number[];
}

/** The data points that Workers wrote, by account and dataset: one file a dataset, one line a point. */
export class Points {
  readonly #folder: string;
  #last: Promise<unknown> = Promise.resolve();

  constructor(folder: string) {
    this.#folder = folder;
  }

  /** Keeps the points that a Worker's binding hands on. One that breaks a limit is left out, as it would be there. */
  async add(given: unknown): Promise<void> {
    const { account, dataset, points } = given as { account: string; dataset: string; points: Point[] };
    const kept = points.filter((point) => fits(point, dataset));
    if (kept.length === 0) return;
    const lines = kept.map((point) => `${JSON.stringify(point)}\n`).join("");
    await this.#inTurn(async () => {
      await mkdir(this.#folder, { recursive: true, mode: 0o700 });
      await appendFile(this.#file(account, dataset), lines, { mode: 0o600 });
    });
  }

  /** The points of a dataset, the oldest first; undefined where nothing was ever written to it. What is too old goes. */
  async read(account: string, dataset: string, now = Date.now()): Promise<Point[] | undefined> {
    return await this.#inTurn(async () => {
      const file = this.#file(account, dataset);
      const text = await readIfThere(file);
      if (text === undefined) return undefined;
      // A kill may leave half a line.
      const all = text.split("\n").flatMap((line) => parse(line));
      const kept = all.filter(({ time }) => time > now - RETENTION);
      if (kept.length < all.length)
        await writeFileAtomically(file, kept.map((point) => `${JSON.stringify(point)}\n`).join(""));
      return kept.sort((a, b) => a.time - b.time);
    });
  }

  /** Waits until all that was added is on the disk. */
  async flushed(): Promise<void> {
    await this.#last;
  }

  #file(account: string, dataset: string): string {
    return join(this.#folder, `${account}.${dataset}.jsonl`);
  }

  async #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#last.then(work);
    this.#last = turn.catch(() => undefined);
    return await turn;
  }
}

function parse(line: string): Point[] {
  try {
    return line === "" ? [] : [JSON.parse(line) as Point];
  } catch {
    return [];
  }
}

function fits({ indexes, blobs, doubles }: Point, dataset: string): boolean {
  const bytes = (texts: readonly (string | null)[]) =>
    texts.reduce((sum, text) => sum + Buffer.byteLength(text ?? ""), 0);
  const good =
    indexes.length <= MOST.indexes &&
    blobs.length <= MOST.blobs &&
    doubles.length <= MOST.doubles &&
    bytes(indexes) <= MOST.indexBytes &&
    bytes(blobs) <= MOST.blobBytes &&
    doubles.every((double) => typeof double === "number");
  if (!good)
    console.error(`A data point for ${dataset} breaks a limit of the Analytics Engine and is not kept.`);
  return good;
}
