import { z } from "zod";
import { Access, authorize } from "../access.ts";
import type { Attic } from "../attic.ts";
import { type CacheFields, deleteCache, insertCache, updateCache } from "../database/caches.ts";
import { type Call, json, readJson, type Reply } from "../http/call.ts";
import { endpoints } from "../http/endpoints.ts";
import { refuse } from "../http/refusal.ts";
import { generateKeypair, publicKeyOf } from "../nix/keypair.ts";
import { keypair } from "./fields.ts";

/** The column of the retention period, and that of the priority, hold 32 bits with a sign. */
const LARGEST_INT = 2 ** 31 - 1;
const DONE: Reply = { status: 200 };

const fields = {
  keypair,
  is_public: z.boolean(),
  store_dir: z.string(),
  priority: z
    .int()
    .min(-LARGEST_INT - 1)
    .max(LARGEST_INT),
  upstream_cache_key_names: z.array(z.string()),
};

const creation = z.object(fields);

const change = z.object({
  keypair: fields.keypair.nullish(),
  is_public: fields.is_public.nullish(),
  store_dir: fields.store_dir.nullish(),
  priority: fields.priority.nullish(),
  upstream_cache_key_names: fields.upstream_cache_key_names.nullish(),
  retention_period: z
    .union([
      z.literal("Global"),
      z.object({
        Period: z
          .int()
          .min(0)
          .max(2 ** 32 - 1),
      }),
    ])
    .nullish(),
});

export async function getCacheConfig(attic: Attic, call: Call): Promise<Reply> {
  const { cache } = await authorize(attic, call.token, nameIn(call), "pull");
  const { apiEndpoint, substituterEndpoint } = endpoints(attic.config, call.request);
  return json({
    substituter_endpoint: `${substituterEndpoint}${cache.name}`,
    api_endpoint: apiEndpoint,
    public_key: publicKeyOf(cache.keypair),
    is_public: cache.is_public,
    store_dir: cache.store_dir,
    priority: cache.priority,
    upstream_cache_key_names: JSON.parse(cache.upstream_cache_key_names) as string[],
    retention_period: cache.retention_period === null ? "Global" : { Period: cache.retention_period },
  });
}

export async function createCache(attic: Attic, call: Call): Promise<Reply> {
  const wanted = await readJson(call, creation);
  const name = nameIn(call);
  new Access(call.token, name, false).require("createCache");
  const made = await insertCache(attic.database, name, {
    ...wanted,
    keypair: keypairFor(name, wanted.keypair),
    upstream_cache_key_names: JSON.stringify(wanted.upstream_cache_key_names),
  });
  if (!made) throw refuse.cacheAlreadyExists();
  return DONE;
}

export async function configureCache(attic: Attic, call: Call): Promise<Reply> {
  const wanted = await readJson(call, change);
  const { cache, access } = await authorize(attic, call.token, nameIn(call), "configureCache");
  if (!isAbsent(wanted.retention_period)) access.require("configureRetention");
  const update = columnsOf(cache.name, wanted);
  if (Object.keys(update).length === 0) throw refuse.badRequest("No modifiable fields were set.");
  await updateCache(attic.database, cache.id, update);
  return DONE;
}

export async function destroyCache(attic: Attic, call: Call): Promise<Reply> {
  const { cache } = await authorize(attic, call.token, nameIn(call), "destroyCache");
  if (!(await deleteCache(attic.database, cache.id, attic.config["soft-delete-caches"])))
    throw refuse.noSuchCache();
  return DONE;
}

function columnsOf(name: string, wanted: z.infer<typeof change>): Partial<CacheFields> {
  const { keypair, upstream_cache_key_names: upstream, retention_period: retention, ...plain } = wanted;
  const given = Object.entries(plain).filter(([, value]) => !isAbsent(value));
  return {
    ...(Object.fromEntries(given) as Partial<CacheFields>),
    ...(!isAbsent(keypair) && { keypair: keypairFor(name, keypair) }),
    ...(!isAbsent(upstream) && { upstream_cache_key_names: JSON.stringify(upstream) }),
    ...(!isAbsent(retention) && { retention_period: periodOf(retention) }),
  };
}

function periodOf(retention: "Global" | { Period: number }): number | null {
  if (retention === "Global") return null;
  if (retention.Period > LARGEST_INT) throw refuse.badRequest("Invalid retention period");
  return retention.Period;
}

function keypairFor(name: string, wanted: z.infer<typeof keypair>): string {
  return wanted === "Generate" ? generateKeypair(name) : wanted.Keypair;
}

function isAbsent(value: unknown): value is null | undefined {
  return value === undefined || value === null;
}

function nameIn({ params }: Call): string {
  return params.cache ?? "";
}
