import type { NarFile } from "../narinfo.ts";

/** A store path that can be pulled at the edge. */
export interface Entry extends NarFile {
  cache: string;
  /** The hash in the store path. */
  hash: string;
  /** What the server said when the narinfo was written: {@link Row.stamp} and the tag of the cache's key. */
  stamp: string;
  /** The narinfo's. */
  etag: string;
}

/** A NAR's file that no narinfo names any more. */
export interface Orphan extends Omit<NarFile, "fileHash"> {
  cache: string;
  /** "" where it has to be read to be known. */
  fileHash: string;
  /** When that was found, in seconds since 1970. */
  since: number;
}

/** What is at the edge of a cache, all in all. */
export interface CacheTotals {
  /** What stands in nix-cache-info. */
  info: string;
  paths: number;
  nars: number;
  bytes: number;
}

/** What the mirror knows of the bucket beside the paths. */
export interface Summary {
  version: 1;
  /** The run that left the bucket like this. */
  run: string;
  /** When the bucket was last looked at as a whole, in seconds since 1970. */
  listedAt: number;
  caches: Record<string, CacheTotals>;
}

/** In the order in which entries stand in the index: that of bytes, by cache and then by hash. */
export function compareEntries(
  a: { cache: string; hash: string },
  b: { cache: string; hash: string },
): number {
  return compare(a.cache, b.cache) || compare(a.hash, b.hash);
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** One name for a path in a cache, or for a file in it. */
export function within(cache: string, name: string): string {
  return `${cache}/${name}`;
}
