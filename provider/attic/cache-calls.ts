import { type CacheConfig, type ConfigureCache, Refused } from "../../components/attic/client.ts";
import {
  generateKeypair,
  hasMark,
  newKeyName,
  ownMark,
  publicKeyOf,
} from "../../components/attic/keypair.ts";
import { fromRetentionConfig, toRetentionConfig } from "../../components/attic/retention.ts";
import {
  type CreateRequest,
  type DeleteRequest,
  InitFailed,
  type ReadRequest,
  type State,
  type UpdateRequest,
} from "../protocol/provider.ts";
import { asText, type Properties, Secret } from "../protocol/values.ts";
import { type CacheInputs, isSamePeriod, outputsOf, settingsOf } from "./cache-inputs.ts";
import type { Connection } from "./connection.ts";

export async function create(connection: Connection, { urn, inputs }: CreateRequest): Promise<State> {
  const publicKey = await ensure(connection, urn, inputs);
  return { id: settingsOf(inputs).name, outputs: outputsOf(connection, inputs, publicKey) };
}

/**
 * Makes the cache, or takes over one that is this resource's already: made by a run that was killed before the
 * engine could write it down.
 *
 * @returns its public key.
 */
async function ensure(connection: Connection, urn: string, given: Properties): Promise<string> {
  const declared = settingsOf(given);
  const { key } = connection;
  const client = await connection.client();
  const { name, retention } = declared;
  const mark = ownMark(key.secret, urn, name);
  const keypair = declared.keypair ?? generateKeypair(newKeyName(mark));
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
      ? hasMark(there.public_key, mark)
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
    await (
      await connection.client()
    ).configure(declared.name, {
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

export async function read(
  connection: Connection,
  { urn, id, inputs, outputs: olds }: ReadRequest,
): Promise<State> {
  const { engine } = connection;
  const there = await (await connection.client()).get(id);
  if (there === undefined) {
    const key =
      inputs.keypair === undefined
        ? "and its public key changes: give the new one to every client."
        : "with the key that is declared.";
    if (Object.keys(olds).length > 0)
      engine.log(
        "warning",
        urn,
        `The cache ${id} is gone from the server. The next update makes it again, empty, ${key}`,
      );
    return { id: "", outputs: {} };
  }
  const { publicKey } = olds;
  if (typeof publicKey === "string" && publicKey !== there.public_key)
    engine.log(
      "warning",
      urn,
      `The public key of the cache ${id} was changed on the server; it is ${there.public_key} now.`,
    );
  const found = asFound(id, inputs, there);
  const outputs = outputsOf(connection, { ...found, storeDir: there.store_dir }, there.public_key);
  return { id, inputs: found, outputs };
}

/**
 * The inputs by which the cache on the server would have come about. Its store stays the one that was declared: a change
 * of that input asks for another cache, and is not to be what somebody else did.
 */
function asFound(name: string, inputs: Properties, there: CacheConfig): Properties {
  const { keypair, adopt = false, retention, storeDir = there.store_dir } = inputs;
  const period = there.retention_period;
  const words = fromRetentionConfig(period);
  const text = keypair instanceof Secret ? keypair.value : keypair;
  return {
    name,
    isPublic: there.is_public,
    priority: there.priority,
    storeDir,
    upstreamCacheKeyNames: there.upstream_cache_key_names,
    retention: retention !== undefined && isSamePeriod(retention, words) ? retention : words,
    ...(keypair !== undefined && publicKeyOf(asText(text)) === there.public_key && { keypair }),
    adopt,
  };
}

export async function update(
  connection: Connection,
  { urn, id, olds, news }: UpdateRequest,
): Promise<Properties> {
  const declared = settingsOf(news);
  const given = declared.keypair === undefined ? undefined : publicKeyOf(declared.keypair);
  const publicKey = given ?? asText(olds.publicKey);
  const changed: ConfigureCache = {
    ...toConfig(declared),
    retention_period: toRetentionConfig(declared.retention),
    ...(declared.keypair !== undefined &&
      given !== olds.publicKey && { keypair: { Keypair: declared.keypair } }),
  };
  try {
    await (await connection.client()).configure(id, changed);
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

export async function destroy(connection: Connection, { id }: DeleteRequest): Promise<void> {
  await (await connection.client()).destroy(id);
}

function toConfig({ isPublic, storeDir, priority, upstreamCacheKeyNames }: CacheInputs) {
  return {
    is_public: isPublic,
    store_dir: storeDir,
    priority,
    upstream_cache_key_names: upstreamCacheKeyNames,
  };
}
