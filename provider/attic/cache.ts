import { publicKeyOf } from "../../components/attic/keypair.ts";
import type { DiffRequest, DiffResult } from "../protocol/provider.ts";
import { asText, equal, type Properties, Secret, Unknown, type Value } from "../protocol/values.ts";
import { isMoved, isSamePeriod, outputsOf, SETTINGS, shape } from "./cache-inputs.ts";
import type { Connection } from "./connection.ts";
import { type AtticResource, differences } from "./resource.ts";

/** What talks to the server, which most runs do not. */
const calls = () => import("./cache-calls.ts");

/** A cache in Attic. Its id is its name. */
export const cache: AtticResource = {
  shape,
  secrets: ["keypair"],
  diff,
  create: async (connection, request) =>
    request.preview
      ? { id: "", outputs: outputsOf(connection, request.inputs, expectedKey(request.inputs, new Unknown())) }
      : await (await calls()).create(connection, request),
  read: async (connection, request) => await (await calls()).read(connection, request),
  update: async (connection, request) =>
    request.preview
      ? outputsOf(connection, request.news, expectedKey(request.news, keyOf(connection, request.olds)))
      : await (await calls()).update(connection, request),
  delete: async (connection, request) => {
    await (await calls()).destroy(connection, request);
  },
};

/** What stands for another cache where it changes: its paths are in this store, and clients ask it by this name. */
const REPLACES = ["name", "storeDir"];

function diff(connection: Connection, { oldInputs, olds, news }: DiffRequest): DiffResult {
  const { adopt, keypair, ...declared } = news;
  const detailed = differences(oldInputs, declared, SETTINGS, REPLACES);
  // The store that somebody else has set is put back, and the cache with what is in it kept. Who declares just that
  // store asks for no other cache either.
  if (olds.storeDir !== undefined && equal(olds.storeDir, declared.storeDir) === detailed.has("storeDir"))
    detailed.set("storeDir", { kind: "update", input: detailed.has("storeDir") });
  if (isSamePeriod(oldInputs.retention, news.retention)) detailed.delete("retention");
  // A keypair that is no longer given stays as it is; one that is given has to be the server's.
  const wanted = keypair instanceof Secret ? keypair.value : keypair;
  if (wanted instanceof Unknown || (typeof wanted === "string" && publicKeyOf(wanted) !== olds.publicKey))
    detailed.set("keypair", { kind: "update", input: true });
  // In another database the cache may not be: an update finds out, and makes it.
  if (isMoved(connection, olds)) detailed.set("database", { kind: "update", input: false });
  const replaces = REPLACES.filter((key) => detailed.get(key)?.kind.endsWith("-replace"));
  const needsName = replaces.length > 0 && !replaces.includes("name");
  if (needsName && connection.softDeletes)
    throw new Error(
      `The cache ${asText(oldInputs.name)} cannot get another store: it would be deleted first, and a server that keeps the records of deleted caches (server.softDeleteCaches) does not take their names again. Give it another name too, or leave storeDir at ${JSON.stringify(asText(oldInputs.storeDir))}.`,
    );
  return {
    changes: detailed.size > 0,
    replaces,
    diffs: [...detailed.keys()],
    // The server has room for one cache of a name.
    deleteBeforeReplace: needsName,
    detailed,
  };
}

/** The public key that a cache will have. @param otherwise what it is where no keypair is given. */
function expectedKey({ keypair }: Properties, otherwise: Value): Value {
  const given = keypair instanceof Secret ? keypair.value : keypair;
  if (given === undefined) return otherwise;
  return publicKeyOf(asText(given)) ?? new Unknown();
}

/** The public key that a cache has; nobody knows what it is in another database. */
function keyOf(connection: Connection, olds: Properties): Value {
  return isMoved(connection, olds) ? new Unknown() : asText(olds.publicKey);
}
