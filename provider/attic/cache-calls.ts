import type { CacheConfig } from "../../components/attic/client.ts";
import { publicKeyOf } from "../../components/attic/keypair.ts";
import { fromRetentionConfig } from "../../components/attic/retention.ts";
import type {
  CreateRequest,
  DeleteRequest,
  ReadRequest,
  State,
  UpdateRequest,
} from "../protocol/provider.ts";
import { asText, type Properties, reveal, Secret } from "../protocol/values.ts";
import { isMoved, isSamePeriod, outputsOf, settingsOf } from "./cache-inputs.ts";
import { configure, ensure, isOwn, takeOver } from "./cache-making.ts";
import type { Connection } from "./connection.ts";

export async function create(connection: Connection, { urn, inputs }: CreateRequest): Promise<State> {
  const publicKey = await ensure({ connection, urn, inputs });
  return { id: settingsOf(inputs).name, outputs: outputsOf(connection, inputs, publicKey) };
}

export async function read(
  connection: Connection,
  { urn, id, inputs, outputs: olds }: ReadRequest,
): Promise<State> {
  const { engine } = connection;
  const there = await (await connection.client()).get(id);
  const { publicKey } = olds;
  const changed =
    there !== undefined && typeof publicKey === "string" && publicKey !== there.public_key
      ? there.public_key
      : undefined;
  // In another database a cache of this name that has another key is somebody else's.
  const strange = changed !== undefined && isMoved(connection, olds) && !isOwn(connection, urn, id, changed);
  if (there === undefined || strange) {
    const key =
      inputs.keypair === undefined
        ? "and its public key changes: give the new one to every client."
        : "with the key that is declared.";
    const words = strange
      ? `The cache ${id} is not in the server's new database, where another one has its name: its public key is ${changed}, and not ${asText(publicKey)}. To take that over, give it adopt: true.`
      : `The cache ${id} is gone from the server. The next update makes it again, empty, ${key}`;
    if (Object.keys(olds).length > 0) engine.log("warning", urn, words);
    return { id: "", outputs: {} };
  }
  if (changed !== undefined)
    engine.log(
      "warning",
      urn,
      `The public key of the cache ${id} was changed on the server; it is ${changed} now.`,
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
  const found: Properties = {
    name,
    isPublic: there.is_public,
    priority: there.priority,
    storeDir,
    upstreamCacheKeyNames: there.upstream_cache_key_names,
    retention: retention !== undefined && isSamePeriod(retention, words) ? retention : words,
  };
  // What was declared as a secret stays one.
  for (const [key, value] of Object.entries(found))
    if (inputs[key] instanceof Secret) found[key] = new Secret(reveal(value));
  return {
    ...found,
    ...(keypair !== undefined && publicKeyOf(asText(text)) === there.public_key && { keypair }),
    adopt,
  };
}

/**
 * Looks first whose cache it is: since the state was written the server may have got another database, and the name
 * another cache.
 */
export async function update(
  connection: Connection,
  { urn, id, olds, news }: UpdateRequest,
): Promise<Properties> {
  const known = { publicKey: asText(olds.publicKey), moved: isMoved(connection, olds) };
  const wanted = { connection, urn, inputs: news, known };
  const there = await (await connection.client()).get(id);
  const make =
    there === undefined
      ? ensure(wanted)
      : there.public_key === known.publicKey
        ? configure(wanted, there)
        : takeOver(wanted, there);
  return outputsOf(connection, news, await make);
}

/** Deletes the cache, where it is still the one that was made: nobody gets another one back. */
export async function destroy(connection: Connection, { urn, id, outputs }: DeleteRequest): Promise<void> {
  const { engine, taken } = connection;
  if (taken.has(id)) {
    engine.log("warning", urn, `The cache ${id} was not deleted: another resource has it since this run.`);
    return;
  }
  const client = await connection.client();
  const there = await client.get(id);
  if (there === undefined) engine.log("info", urn, `The cache ${id} was gone from the server already.`);
  else if (there.public_key === outputs.publicKey || isOwn(connection, urn, id, there.public_key))
    await client.destroy(id);
  else
    engine.log(
      "warning",
      urn,
      `The cache ${id} was not deleted: the one on the server is another, its public key is ${there.public_key}, and not ${asText(outputs.publicKey)}. If it is to go too, attic cache destroy ${id} deletes it.`,
    );
}
