/** One row of the bench's table. */
export interface Measured {
  name: string;
  value: number;
  unit: string;
  limit: number;
  ok: boolean;
}

/** One thing that is measured. */
export interface Measure {
  name: string;
  unit: string;
  /** The largest value that is good. */
  limit: number;
  /** What is compared with what, in one sentence. */
  about: string;
  /** Left out unless it is asked for by name, because it takes long. */
  onRequest?: boolean;
  run: () => Promise<number>;
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : (upper + (sorted[middle - 1] ?? Number.NaN)) / 2;
}

/** One side of a ratio: what is made ready, and then what is timed. */
export interface Side {
  before?: () => Promise<unknown>;
  run: () => Promise<unknown>;
}

/**
 * The median of the ratios of pairs that are taken in turn, so that a machine that grows slower during the
 * run is slow for both sides.
 */
export async function pairedRatio(pairs: number, left: Side, right: Side): Promise<number> {
  const ratios: number[] = [];
  // The first pair warms the caches of the disk up and does not count.
  for (let pair = 0; pair <= pairs; pair += 1) {
    const ratio = (await milliseconds(left)) / (await milliseconds(right));
    if (pair > 0) ratios.push(ratio);
  }
  return median(ratios);
}

async function milliseconds({ before, run }: Side): Promise<number> {
  await before?.();
  const began = performance.now();
  await run();
  return performance.now() - began;
}
