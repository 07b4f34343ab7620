import type { AtticClient, CacheConfig } from "../../components/attic/client.ts";
import {
  generateKeypair,
  hasMark,
  newKeyName,
  ownMark,
  publicKeyOf,
} from "../../components/attic/keypair.ts";
import { toRetentionConfig } from "../../components/attic/retention.ts";
import { InitFailed } from "../protocol/provider.ts";
import type { Properties } from "../protocol/values.ts";
import { type CacheInputs, outputsOf, settingsOf } from "./cache-inputs.ts";
import type { Connection } from "./connection.ts";

/** A cache that a server is to have. */
export interface Wanted {
  connection: Connection;
  urn: string;
  inputs: Properties;
  /** What the state has of it; nothing where it is made for the first time. */
  known?: { publicKey: string; moved: boolean };
}

/**
 * Makes the cache, or takes over one that is this resource's already: made by a run that was killed before the
 * engine could write it down.
 *
 * @returns its public key.
 */
export async function ensure(wanted: Wanted): Promise<string> {
  const { connection, urn, inputs, known } = wanted;
  const declared = settingsOf(inputs);
  const { name } = declared;
  const client = await connection.client();
  const keypair = declared.keypair ?? generateKeypair(newKeyName(markOf(connection, urn, name)));
  if (await client.create(name, { ...toConfig(declared), keypair: { Keypair: keypair } })) {
    const publicKey = publicKeyOf(keypair) ?? "";
    connection.taken.add(name);
    // Said before anything else can fail: the key is another one whatever comes.
    if (known !== undefined)
      warn(
        wanted,
        `The cache ${name} was ${known.moved ? "not in the server's new database" : "gone from the server"} and was made again, empty.${keyWords(known.publicKey, publicKey)}`,
      );
    if (declared.retention !== "default") await setRetention(client, wanted, declared, publicKey);
    return publicKey;
  }
  const there = await client.get(name);
  if (there === undefined)
    throw new Error(
      `The name ${name} cannot be used: a cache of this name was deleted on a server that keeps the records of deleted caches (soft-delete-caches). Choose another name.`,
    );
  return await takeOver(wanted, there);
}

/**
 * Makes a cache what is declared that is not the one that the state knows.
 *
 * @returns its public key.
 * @throws Error where it is somebody else's, or of another store.
 */
export async function takeOver(wanted: Wanted, there: CacheConfig): Promise<string> {
  const { connection, urn, inputs, known } = wanted;
  const { name, keypair, adopt, storeDir } = settingsOf(inputs);
  const own = isOwn(connection, urn, name, there.public_key);
  const hasGivenKey = keypair !== undefined && publicKeyOf(keypair) === there.public_key;
  if (!own && !hasGivenKey && !adopt) throw new Error(refusal(name, there, known));
  if (there.store_dir !== storeDir)
    throw new Error(
      `The cache ${name} cannot be taken over: it holds paths of the store ${there.store_dir}, which are of no use in ${storeDir}. Declare it with storeDir: ${JSON.stringify(there.store_dir)}, or choose another name.`,
    );
  const publicKey = await configure(wanted, there);
  connection.taken.add(name);
  const key = keyWords(known?.publicKey ?? there.public_key, publicKey);
  // What a run was doing that was killed needs no words, unless clients have to know.
  if (!own && !(hasGivenKey && known?.moved === false))
    warn(wanted, `The cache ${name} was there already and was taken over, with what is in it.${key}`);
  else if (own && key !== "")
    warn(wanted, `The cache ${name} was made again by a run that was cut short.${key}`);
  return publicKey;
}

/** Makes a cache that is there what is declared. @returns its public key. */
export async function configure({ connection, inputs }: Wanted, there: CacheConfig): Promise<string> {
  const declared = settingsOf(inputs);
  const { name, retention, keypair } = declared;
  const publicKey = publicKeyOf(keypair ?? "") ?? there.public_key;
  const client = await connection.client();
  await client.configure(name, {
    ...toConfig(declared),
    retention_period: toRetentionConfig(retention),
    ...(keypair !== undefined && publicKey !== there.public_key && { keypair: { Keypair: keypair } }),
  });
  return publicKey;
}

/** Whether a resource has made the cache that has this key, though the state may not know of it. */
export function isOwn(connection: Connection, urn: string, name: string, publicKey: string): boolean {
  return hasMark(publicKey, markOf(connection, urn, name));
}

function markOf({ key }: Connection, urn: string, name: string): string {
  return ownMark(key.secret, urn, name);
}

function refusal(name: string, there: CacheConfig, known: Wanted["known"]): string {
  const adopt = "To take it over and make it what is declared here, give it adopt: true";
  if (known === undefined)
    return `The cache ${name} exists already. ${adopt}; to import it as it is, give the resource the option import: ${JSON.stringify(name)} for one update.`;
  const otherwise = known.moved
    ? "to leave it alone, choose another name"
    : "to take it as it is, where only its key was changed, run pulumi refresh";
  return `The cache ${name} exists already and is not the one of this resource: its public key is ${there.public_key}, and not ${known.publicKey}. ${adopt}; ${otherwise}.`;
}

function keyWords(before: string, after: string): string {
  return before === after ? "" : ` Its public key changes, to ${after}: give it to every client.`;
}

function warn({ connection, urn }: Wanted, message: string): void {
  connection.engine.log("warning", urn, message);
}

/** The one thing that cannot be said when a cache is made. Where it fails, the cache is there all the same. */
async function setRetention(
  client: AtticClient,
  { connection, inputs: given }: Wanted,
  { name, retention }: CacheInputs,
  publicKey: string,
): Promise<void> {
  try {
    await client.configure(name, { retention_period: toRetentionConfig(retention) });
  } catch (error) {
    const reason = `the cache was made, and its retention not set: ${error instanceof Error ? error.message : String(error)}`;
    const inputs = { ...given, retention: "default" };
    throw new InitFailed(reason, { id: name, inputs, outputs: outputsOf(connection, inputs, publicKey) }, [
      reason,
    ]);
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
