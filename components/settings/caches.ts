import { z } from "zod";
import { isCacheName, NAME_RULE } from "../attic/names.ts";
import { cacheRetention, flag, key, section, wholeNumber } from "./leaf.ts";

/** Nix compares this text with its own, so it has to be spelt as Nix does: no slash too many, no `.` and no `..`. */
const STORE_DIR = /^(?=.{2,255}$)(\/(?!\.{1,2}(\/|$))[\w.+@-]+)+$/;
const KEY_NAME = /^[^\s:]{1,255}$/;

/** Attic keeps it in 32 bits with a sign. */
const LARGEST_PRIORITY = 2 ** 31 - 1;

export const cacheSection = section("A cache.", {
  name: key(
    z.string().refine(isCacheName),
    "Its name, which stands in its address and in the name of its signing key. Another name is another cache: the old one goes with all that is in it.",
    `a text: ${NAME_RULE}`,
  ),
  public: flag("Whether everybody may pull from it without a token.").default(false),
  priority: wholeNumber(
    "Which substituter Nix asks first: the one with the lowest number. cache.nixos.org has 40.",
    0,
    LARGEST_PRIORITY,
  ).default(41),
  storeDir: key(
    z.string().regex(STORE_DIR),
    "The store that its paths are in. Another one is another cache, as with the name.",
    "an absolute path as Nix spells it, without a slash at its end, such as /nix/store",
  ).default("/nix/store"),
  upstreamCacheKeyNames: key(
    z
      .array(
        key(
          z.string().regex(KEY_NAME),
          "A key's name.",
          "the name of a key, which is what stands before its colon, such as cache.nixos.org-1",
        ),
      )
      .max(50),
    "Keys of caches that clients have anyway: `attic push` leaves out what one of them has signed.",
    "a list of at most 50 names of keys, such as cache.nixos.org-1",
  ).default(["cache.nixos.org-1"]),
  retention: cacheRetention(
    "How long a path that nobody pulls is kept. default is server.garbageCollection.defaultRetention.",
  ).default("default"),
  adopt: flag("Take over a cache of that name that the server has already.").default(false),
  protect: flag(
    "Refuse to delete it, and what it holds with it. Before a cache is taken out of this list, this is set to false and applied.",
  ).default(true),
});

export const cacheList = key(z.array(cacheSection), "Caches on the server.", "a list of caches");

export type CacheSettings = z.infer<typeof cacheSection>;
