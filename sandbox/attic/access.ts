import { grantedFor, type Permission } from "../../components/attic/permissions.ts";
import type { Attic } from "./attic.ts";
import { type Cache, findCache } from "./database/caches.ts";
import { refuse } from "./http/refusal.ts";
import type { Token } from "./tokens.ts";

/** What a request may do with one cache. */
export class Access {
  readonly #granted: ReadonlySet<Permission>;

  /** @param isPublic whether everybody may pull. */
  constructor(token: Token | undefined, cache: string, isPublic: boolean) {
    const granted = token === undefined ? [] : grantedFor(token.claim, cache);
    this.#granted = new Set(isPublic ? [...granted, "pull"] : granted);
  }

  /** Whether it may be known to the caller that the cache is there: any permission at all does. */
  get canDiscover(): boolean {
    return this.#granted.size > 0;
  }

  /** @throws Refusal: 403 to who may know of the cache, 401 to who may not. */
  require(permission: Permission): void {
    if (!this.#granted.has(permission)) throw this.canDiscover ? refuse.denied() : refuse.unauthorized();
  }
}

/**
 * Finds a cache for who has that permission.
 *
 * @throws Refusal, by which who may not know of the cache does not learn whether it is there.
 */
export async function authorize(
  attic: Attic,
  token: Token | undefined,
  name: string,
  permission: Permission,
): Promise<{ cache: Cache; access: Access }> {
  const cache = await findCache(attic.database, name);
  const access = new Access(token, name, cache?.is_public ?? false);
  if (cache === undefined) throw access.canDiscover ? refuse.noSuchCache() : refuse.unauthorized();
  access.require(permission);
  return { cache, access };
}
