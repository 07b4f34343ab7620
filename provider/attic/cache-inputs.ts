import { z } from "zod";
import { isKeypair, KEYPAIR_RULE } from "../../components/attic/keypair.ts";
import { isCacheName, NAME_RULE } from "../../components/attic/names.ts";
import { isRetention, RETENTION_RULE, toRetentionConfig } from "../../components/attic/retention.ts";
import { equal, type Properties, revealAll, type Value } from "../protocol/values.ts";
import type { Connection } from "./connection.ts";

/** What the settings of a cache are, each with what it is where nothing is said. */
export const shape = {
  name: z.string("expected a text").refine(isCacheName, `expected ${NAME_RULE}`),
  isPublic: z.boolean("expected true or false").default(false),
  priority: z
    .int("expected a whole number")
    .min(-(2 ** 31))
    .max(2 ** 31 - 1)
    .default(41),
  storeDir: z
    .string("expected a path")
    .startsWith("/", "expected a path that begins with /")
    .default("/nix/store"),
  upstreamCacheKeyNames: z.array(z.string()).default(["cache.nixos.org-1"]),
  retention: z.string("expected a text").refine(isRetention, `expected ${RETENTION_RULE}`).default("default"),
  keypair: z.string("expected a text").refine(isKeypair, `expected ${KEYPAIR_RULE}`).optional(),
  adopt: z.boolean("expected true or false").default(false),
};
export type CacheInputs = z.infer<z.ZodObject<typeof shape>>;

/** What the server keeps of a cache and tells again. */
export const SETTINGS = Object.keys(shape).filter((key) => key !== "adopt" && key !== "keypair");

export function settingsOf(inputs: Properties): CacheInputs {
  return revealAll(inputs) as unknown as CacheInputs;
}

/** Whether two retentions are one in other words: 14d and 2w. */
export function isSamePeriod(one: Value | undefined, other: Value | undefined): boolean {
  const [a, b] = [one, other].map((words) =>
    typeof words === "string" && isRetention(words) ? toRetentionConfig(words) : undefined,
  );
  return a !== undefined && b !== undefined && equal(a, b);
}

/** Whether the server has another database than when the state was written: it may hold other caches. */
export function isMoved({ database }: Connection, olds: Properties): boolean {
  return database !== undefined && olds.database !== undefined && olds.database !== database;
}

/** What stands in the state: neither the keypair, which the inputs have, nor what only says how to begin. */
export function outputsOf({ database }: Connection, inputs: Properties, publicKey: Value): Properties {
  const kept = SETTINGS.flatMap((key) => (inputs[key] === undefined ? [] : [[key, inputs[key]] as const]));
  return { ...Object.fromEntries(kept), publicKey, ...(database !== undefined && { database }) };
}
