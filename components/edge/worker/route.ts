import { isCacheName } from "../../attic/names.ts";
import { NAR_FILE, STORE_PATH_HASH } from "../layout.ts";

/** What a path asks for: something of the edge itself, or of a cache. */
export type Route = { kind: "page" | "status" } | CacheRoute;

export type CacheRoute =
  | { kind: "cache-info"; cache: string }
  | { kind: "narinfo"; cache: string; hash: string }
  | { kind: "nar"; cache: string; file: string; narHash: string }
  | { kind: "pulled-nar"; cache: string; narHash: string; hash: string };

/** A NAR that is not in the bucket, and fetched from the server: its own hash, and the path's by which the server knows it. */
const PULLED_FILE = /^([0-9a-z]{52})-([0-9a-z]{32})\.nar$/;

/**
 * Only by its form, whether such a cache exists or not: so that what has no form is missing to everybody, and nobody
 * learns anything by that.
 *
 * @param atRoot the cache that is served at the host's root as well.
 */
export function routeOf(pathname: string, atRoot: string | undefined): Route | undefined {
  const segments = decode(pathname);
  if (segments === undefined) return undefined;
  const [first = "", ...rest] = segments;
  if (rest.length === 0 && first === "") return { kind: "page" };
  if (rest.length === 0 && first === "status") return { kind: "status" };
  const route = isCacheName(first) ? within(first, rest) : undefined;
  return route ?? (atRoot === undefined ? undefined : within(atRoot, segments));
}

function within(cache: string, [first = "", ...rest]: readonly string[]): CacheRoute | undefined {
  const [file = ""] = rest;
  if (first === "nar" && rest.length === 1) return nar(cache, file);
  if (rest.length > 0) return undefined;
  if (first === "nix-cache-info") return { kind: "cache-info", cache };
  const hash = first.replace(/\.narinfo$/, "");
  return hash !== first && STORE_PATH_HASH.test(hash) ? { kind: "narinfo", cache, hash } : undefined;
}

function nar(cache: string, file: string): CacheRoute | undefined {
  const [, narHash] = NAR_FILE.exec(file) ?? [];
  if (narHash !== undefined) return { kind: "nar", cache, file, narHash };
  const [, hashOfNar, hash = ""] = PULLED_FILE.exec(file) ?? [];
  if (hashOfNar === undefined || !STORE_PATH_HASH.test(hash)) return undefined;
  return { kind: "pulled-nar", cache, narHash: hashOfNar, hash };
}

/** @returns the segments behind the first slash, or undefined where something in them means nothing. */
function decode(pathname: string): string[] | undefined {
  try {
    return pathname.slice(1).split("/").map(decodeURIComponent);
  } catch {
    return undefined;
  }
}
