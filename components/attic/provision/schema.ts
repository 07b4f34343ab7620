import { z } from "zod";
import { cacheRetention, flag, key, label, section } from "../../settings/leaf.ts";
import { isCacheName, isCachePattern, NAME_RULE, PATTERN_RULE } from "../names.ts";

const cache = section("A cache.", {
  name: key(z.string().refine(isCacheName), "Its name.", `a text: ${NAME_RULE}`),
  public: flag("Whether everybody may pull from it.").nullish(),
  retention_period: cacheRetention("How long a path that nobody pulls is kept.").nullish(),
});

const token = section("A token for one cache.", {
  name: label("Its name."),
  cache: key(z.string().refine(isCachePattern), "The cache.", `one name or pattern: ${PATTERN_RULE}`),
  read: flag("Whether it may pull.").nullish(),
  write: flag("Whether it may push.").nullish(),
});

/**
 * The file of attic-provision 0.1 (pleme-io/forge, provision/attic, at 76b256e). That tool wants every key but
 * `retention_period`; here a list or a flag may be missing too, and is then empty or false.
 */
export const provisionFile = section("", {
  server_url: key(
    z.string().refine((text) => /^https?:/.test(text) && URL.canParse(text)),
    "The server.",
    "an http:// or https:// address",
  ).nullish(),
  // Anything, because it is a secret and nothing of it may be said.
  admin_token: z.unknown().optional(),
  caches: key(
    z.array(cache),
    "Caches.",
    "a list of objects with the keys name, public, retention_period",
  ).nullish(),
  tokens: key(
    z.array(token),
    "Tokens.",
    "a list of objects with the keys name, cache, read, write",
  ).nullish(),
});

export type ProvisionFile = z.infer<typeof provisionFile>;
