/**
 * What the mirror writes and the Worker reads: the names of objects in the edge's bucket, and what stands in those that
 * are not Nix's own. Knows neither of them, and nothing of Pulumi: both are bundled with it.
 */

/** Nix's base 32, which leaves out e, o, t and u. */
const DIGIT = "[0-9abcdfghijklmnpqrsvwxyz]";

/** The hash in a store path, by which a narinfo is asked for. */
export const STORE_PATH_HASH = new RegExp(`^${DIGIT}{32}$`);

/**
 * Name of a NAR's file: the SHA-256 of what is in the NAR, in Nix's base 32, then what tells this upload of it from any
 * other. So a name stands for the same bytes for ever, also where the server compresses the same NAR anew.
 */
export const NAR_FILE = new RegExp(`^(${DIGIT}{52})-([0-9a-z]{12})\\.nar(\\.zst|\\.xz|\\.br)?$`);

/** `nar/<file>` is what the narinfo says as its URL. */
export function narKey(cache: string, file: string): string {
  return `${cache}/nar/${file}`;
}

export function narinfoKey(cache: string, storePathHash: string): string {
  return `${cache}/${storePathHash}.narinfo`;
}

export function cacheInfoKey(cache: string): string {
  return `${cache}/nix-cache-info`;
}

/** What is no cache's begins with this: a cache's name begins with a letter or a digit. */
const OWN = "_edge/";

/** What the last run of the mirror did: a {@link Status} as JSON. */
export const STATUS_KEY = `${OWN}status.json`;

/** What the mirror remembers from one run to the next. */
export const INDEX_PREFIX = `${OWN}index/`;

/** How the mirror stands. */
export interface Status {
  version: 1;
  /** ISO 8601. */
  startedAt: string;
  /** ISO 8601; of a run that did not end well, when it gave up. */
  finishedAt: string;
  /** Whether all that the server holds is at the edge. */
  ok: boolean;
  /** By name. The Worker leaves the private ones out for who may not pull from them. */
  caches: Record<string, CacheStatus>;
}

export interface CacheStatus {
  /** Store paths that can be pulled at the edge. */
  paths: number;
  /** NAR files at the edge; paths of equal contents share one. */
  nars: number;
  /** Bytes of the NAR files, compressed. */
  bytes: number;
  /** What this run wrote, took away, and could not copy. */
  added: number;
  removed: number;
  failed: number;
  /** Age of the oldest store path that the server has and the edge has not, in seconds; 0 where there is none. */
  lagSeconds: number;
}

/** The caches that an edge serves, and how it checks tokens: the Worker's binding CONFIG, as JSON. */
export interface EdgeConfig {
  /** Such as "https://cache.example.com", without a slash at its end; what the page shows. */
  url: string;
  caches: readonly EdgeCache[];
  /** The cache that is served at the host's root as well. */
  default?: string;
  token: TokenCheck;
  /** Where public paths are fetched from that the bucket does not hold: the server's address, with a slash at its end. */
  pullThrough?: string;
}

export interface EdgeCache {
  name: string;
  isPublic: boolean;
  /** `name:base64`, as it stands in nix.conf. */
  publicKey: string;
  /** Such as "/nix/store". */
  storeDir: string;
  priority: number;
}

/** The edge can check a token, and never make one: of HS256, which cannot be checked without being able to, it has no key. */
export type TokenCheck =
  | {
      algorithm: "RS256";
      /** SPKI, as PEM. */
      publicKey: string;
      issuer?: string;
      /** A token has to name one of them. */
      audiences?: readonly string[];
    }
  | { algorithm: "HS256" };
