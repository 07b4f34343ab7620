import { z } from "zod";
import { type CacheConfig, type ConfigureCache, Refused } from "../../components/attic/client.ts";
import {
  generateKeypair,
  isKeypair,
  KEYPAIR_RULE,
  ownKeyName,
  publicKeyOf,
} from "../../components/attic/keypair.ts";
import { isCacheName, NAME_RULE } from "../../components/attic/names.ts";
import {
  fromRetentionConfig,
  isRetention,
  RETENTION_RULE,
  toRetentionConfig,
} from "../../components/attic/retention.ts";
import {
  type CreateRequest,
  type DeleteRequest,
  type DiffRequest,
  type DiffResult,
  InitFailed,
  type ReadRequest,
  type State,
  type UpdateRequest,
} from "../protocol/provider.ts";
import {
  asText,
  equal,
  type Properties,
  revealAll,
  Secret,
  Unknown,
  type Value,
} from "../protocol/values.ts";
import type { Connection } from "./connection.ts";
import { type AtticResource, differences } from "./resource.ts";

/** What the settings of a cache are, each with what it is where nothing is said. */
const shape = {
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
type CacheInputs = z.infer<z.ZodObject<typeof shape>>;

/** A cache in Attic. Its id is its name. */
export const cache: AtticResource = {
  shape,
  secrets: ["keypair"],
  diff,
  create,
  read,
  update,
  delete: async (connection, { id }: DeleteRequest) => {
    await connection.client.destroy(id);
  },
};

/** What the server keeps of a cache and tells again. */
const SETTINGS = Object.keys(shape).filter((key) => key !== "adopt" && key !== "keypair");
/** What stands for another cache where it changes: its paths are in this store, and clients ask it by this name. */
const REPLACES = ["name", "storeDir"];

function diff({ database }: Connection, { oldInputs, olds, news }: DiffRequest): DiffResult {
  const { adopt, keypair, ...declared } = news;
  const detailed = differences(oldInputs, declared, SETTINGS, REPLACES);
  if (isSamePeriod(oldInputs.retention, news.retention)) detailed.delete("retention");
  // A keypair that is no longer given stays as it is; one that is given has to be the server's.
  const wanted = keypair instanceof Secret ? keypair.value : keypair;
  if (wanted instanceof Unknown || (typeof wanted === "string" && publicKeyOf(wanted) !== olds.publicKey))
    detailed.set("keypair", { kind: "update", input: true });
  // In another database the cache may not be: an update finds out, and makes it.
  if (database !== undefined && olds.database !== undefined && olds.database !== database)
    detailed.set("database", { kind: "update", input: false });
  const replaces = REPLACES.filter((key) => detailed.has(key));
  return {
    changes: detailed.size > 0,
    replaces,
    diffs: [...detailed.keys()],
    // The server has room for one cache of a name.
    deleteBeforeReplace: replaces.length > 0 && !detailed.has("name"),
    detailed,
  };
}

async function create(connection: Connection, { urn, inputs, preview }: CreateRequest): Promise<State> {
  const declared = settingsOf(inputs);
  if (preview) {
    const publicKey =
      declared.keypair === undefined ? new Unknown() : (publicKeyOf(declared.keypair) ?? new Unknown());
    return { id: "", outputs: outputsOf(connection, inputs, publicKey) };
  }
  const publicKey = await ensure(connection, urn, inputs);
  return { id: declared.name, outputs: outputsOf(connection, inputs, publicKey) };
}

/**
 * Makes the cache, or takes over one that is this resource's already: made by a run that was killed before the
 * engine could write it down.
 *
 * @returns its public key.
 */
async function ensure(connection: Connection, urn: string, given: Properties): Promise<string> {
  const declared = settingsOf(given);
  const { client, key } = connection;
  const { name, retention } = declared;
  const keyName = ownKeyName(key.secret, urn, name);
  const keypair = declared.keypair ?? generateKeypair(keyName);
  const made = await client.create(name, { ...toConfig(declared), keypair: { Keypair: keypair } });
  if (made) {
    const publicKey = publicKeyOf(keypair) ?? "";
    if (retention !== "default") await setRetention(connection, given, declared, publicKey);
    return publicKey;
  }
  const there = await client.get(name);
  if (there === undefined)
    throw new Error(
      `The name ${name} cannot be used: a cache of this name was deleted on a server that keeps the records of deleted caches (soft-delete-caches). Choose another name.`,
    );
  const ours =
    declared.keypair === undefined
      ? there.public_key.startsWith(`${keyName}:`)
      : there.public_key === publicKeyOf(keypair);
  if (!ours && !declared.adopt)
    throw new Error(
      `The cache ${name} exists already. To take it over and make it what is declared here, give it adopt: true; to import it as it is, give the resource the option import: ${JSON.stringify(name)} for one update.`,
    );
  if (!ours && there.store_dir !== declared.storeDir)
    throw new Error(
      `The cache ${name} cannot be taken over: it holds paths of the store ${there.store_dir}, which are of no use in ${declared.storeDir}. Declare it with storeDir: ${JSON.stringify(there.store_dir)}, or choose another name.`,
    );
  await client.configure(name, {
    ...toConfig(declared),
    retention_period: toRetentionConfig(retention),
    ...(declared.keypair !== undefined && { keypair: { Keypair: declared.keypair } }),
  });
  return declared.keypair === undefined ? there.public_key : (publicKeyOf(declared.keypair) ?? "");
}

/** The one thing that cannot be said when a cache is made. Where it fails, the cache is there all the same. */
async function setRetention(
  connection: Connection,
  given: Properties,
  declared: CacheInputs,
  publicKey: string,
): Promise<void> {
  try {
    await connection.client.configure(declared.name, {
      retention_period: toRetentionConfig(declared.retention),
    });
  } catch (error) {
    const reason = `the cache was made, and its retention not set: ${error instanceof Error ? error.message : String(error)}`;
    const inputs = { ...given, retention: "default" };
    throw new InitFailed(
      reason,
      { id: declared.name, inputs, outputs: outputsOf(connection, inputs, publicKey) },
      [reason],
    );
  }
}

async function read(connection: Connection, { urn, id, inputs, outputs }: ReadRequest): Promise<State> {
  const { client, engine } = connection;
  const there = await client.get(id);
  if (there === undefined) {
    const key =
      inputs.keypair === undefined
        ? "and its public key changes: give the new one to every client."
        : "with the key that is declared.";
    if (Object.keys(outputs).length > 0)
      engine.log(
        "warning",
        urn,
        `The cache ${id} is gone from the server. The next update makes it again, empty, ${key}`,
      );
    return { id: "", outputs: {} };
  }
  const { publicKey } = outputs;
  if (typeof publicKey === "string" && publicKey !== there.public_key)
    engine.log(
      "warning",
      urn,
      `The public key of the cache ${id} was changed on the server; it is ${there.public_key} now.`,
    );
  const found = asFound(id, inputs, there);
  return { id, inputs: found, outputs: outputsOf(connection, found, there.public_key) };
}

/** Whether two retentions are one in other words: 14d and 2w. */
function isSamePeriod(one: Value | undefined, other: Value | undefined): boolean {
  const [a, b] = [one, other].map((words) =>
    typeof words === "string" && isRetention(words) ? toRetentionConfig(words) : undefined,
  );
  return a !== undefined && b !== undefined && equal(a, b);
}

/** The inputs by which the cache on the server would have come about. */
function asFound(name: string, inputs: Properties, there: CacheConfig): Properties {
  const { keypair, adopt = false, retention } = inputs;
  const period = there.retention_period;
  const words = fromRetentionConfig(period);
  const text = keypair instanceof Secret ? keypair.value : keypair;
  return {
    name,
    isPublic: there.is_public,
    priority: there.priority,
    storeDir: there.store_dir,
    upstreamCacheKeyNames: there.upstream_cache_key_names,
    retention: retention !== undefined && isSamePeriod(retention, words) ? retention : words,
    ...(keypair !== undefined && publicKeyOf(asText(text)) === there.public_key && { keypair }),
    adopt,
  };
}

async function update(
  connection: Connection,
  { urn, id, olds, news, preview }: UpdateRequest,
): Promise<Properties> {
  const declared = settingsOf(news);
  const given = declared.keypair === undefined ? undefined : publicKeyOf(declared.keypair);
  const publicKey = given ?? asText(olds.publicKey);
  if (preview) return outputsOf(connection, news, publicKey);
  const changed: ConfigureCache = {
    ...toConfig(declared),
    retention_period: toRetentionConfig(declared.retention),
    ...(declared.keypair !== undefined &&
      given !== olds.publicKey && { keypair: { Keypair: declared.keypair } }),
  };
  try {
    await connection.client.configure(id, changed);
    return outputsOf(connection, news, publicKey);
  } catch (error) {
    if (!(error instanceof Refused && error.kind === "NoSuchCache")) throw error;
    const made = await ensure(connection, urn, news);
    const key =
      made === olds.publicKey ? "" : ` Its public key changes, to ${made}: give it to every client.`;
    connection.engine.log(
      "warning",
      urn,
      `The cache ${id} was gone from the server and was made again, empty.${key}`,
    );
    return outputsOf(connection, news, made);
  }
}

function toConfig({ isPublic, storeDir, priority, upstreamCacheKeyNames }: CacheInputs) {
  return {
    is_public: isPublic,
    store_dir: storeDir,
    priority,
    upstream_cache_key_names: upstreamCacheKeyNames,
  };
}

function settingsOf(inputs: Properties): CacheInputs {
  return revealAll(inputs) as unknown as CacheInputs;
}

/** What stands in the state: neither the keypair, which the inputs have, nor what only says how to begin. */
function outputsOf({ database }: Connection, inputs: Properties, publicKey: Value): Properties {
  const kept = SETTINGS.flatMap((key) => (inputs[key] === undefined ? [] : [[key, inputs[key]] as const]));
  return { ...Object.fromEntries(kept), publicKey, ...(database !== undefined && { database }) };
}
