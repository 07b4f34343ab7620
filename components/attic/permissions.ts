import { matchesPattern } from "./names.ts";

/** The permissions of a token by readable names, and the keys under which they stand in its claim. */
export const PERMISSIONS = {
  pull: "r",
  push: "w",
  delete: "d",
  createCache: "cc",
  configureCache: "cr",
  configureRetention: "cq",
  destroyCache: "cd",
} as const;

export type Permission = keyof typeof PERMISSIONS;
type ClaimKey = (typeof PERMISSIONS)[Permission];

/** Cache names or patterns, and what may be done with them. */
export type Permissions = Readonly<Record<string, readonly Permission[]>>;

/** The claim that Attic reads its permissions from (token/src/lib.rs at b7c9056). */
export const CLAIM = "https://jwt.attic.rs/v1";

export interface AtticClaim {
  caches: Record<string, Partial<Record<ClaimKey, 1>>>;
}

/** All permissions, for the administrator's own token of a few minutes. */
export const EVERYTHING = Object.keys(PERMISSIONS) as Permission[];

export function toClaim(permissions: Permissions): AtticClaim {
  const caches = Object.entries(permissions).map(([pattern, granted]) => [
    pattern,
    Object.fromEntries(granted.map((permission) => [PERMISSIONS[permission], 1])),
  ]);
  return { caches: Object.fromEntries(caches) as AtticClaim["caches"] };
}

/**
 * What a claim grants for one cache, by Attic's rule: the entry of that very name, else the first whose pattern
 * stands for it, and never two together.
 */
export function grantedFor(claim: AtticClaim, cache: string): ReadonlySet<Permission> {
  const key = Object.hasOwn(claim.caches, cache)
    ? cache
    : Object.keys(claim.caches).find((pattern) => matchesPattern(pattern, cache));
  const grant = key === undefined ? {} : (claim.caches[key] ?? {});
  return new Set(EVERYTHING.filter((permission) => grant[PERMISSIONS[permission]] === 1));
}
