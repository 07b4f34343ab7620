import { stringify, type TomlTable } from "smol-toml";
import { seconds } from "../settings/leaf.ts";
import type { ServerSettings } from "../settings/server.ts";
import type { ObjectStore } from "../storage/index.ts";

/** Where the volume of a local store is mounted. */
export const LOCAL_STORE_FOLDER = "/var/lib/attic";

export interface ServerTomlArgs {
  settings: ServerSettings;
  /** Address that clients are told, with its slash at the end. */
  apiEndpoint: string;
  /** What clients and the cluster may put into the Host header. */
  allowedHosts: readonly string[];
  store: Pick<ObjectStore, "type"> & Partial<{ bucket: string; region: string; endpoint: string }>;
}

/**
 * server.toml, without a secret in it: the database's URL, the signing key and the store's keys come from
 * the environment (Attic at b7c9056, server/src/config.rs).
 *
 * @throws RangeError where the API endpoint has no slash at its end, which Attic needs and does not check.
 */
export function serverToml(args: ServerTomlArgs): string {
  const { settings, apiEndpoint, allowedHosts } = args;
  if (!apiEndpoint.endsWith("/")) throw new RangeError(`api-endpoint must end with a slash: ${apiEndpoint}`);
  const { chunking, compression, garbageCollection } = settings;
  return stringify({
    listen: "[::]:8080",
    "allowed-hosts": [...allowedHosts],
    "api-endpoint": apiEndpoint,
    "soft-delete-caches": settings.softDeleteCaches,
    "require-proof-of-possession": settings.requireProofOfPossession,
    "max-nar-info-size": settings.maxNarInfoSize,
    database: {},
    storage: storageTable(args.store),
    chunking: {
      "nar-size-threshold": chunking.narSizeThreshold,
      "min-size": chunking.minSize,
      "avg-size": chunking.avgSize,
      "max-size": chunking.maxSize,
    },
    compression: {
      type: compression.type,
      ...(compression.level !== undefined && { level: compression.level }),
    },
    "garbage-collection": {
      interval: `${seconds(garbageCollection.interval)}s`,
      "default-retention-period": `${seconds(garbageCollection.defaultRetention)}s`,
    },
    ...jwtTable(settings),
  });
}

function storageTable(store: ServerTomlArgs["store"]): TomlTable {
  if (store.type === "local") return { type: "local", path: LOCAL_STORE_FOLDER };
  const { bucket = "", region = "", endpoint } = store;
  return { type: "s3", bucket, region, ...(endpoint !== undefined && { endpoint }) };
}

function jwtTable({ tokenIssuer, tokenAudiences }: ServerSettings): TomlTable {
  if (tokenIssuer === undefined && tokenAudiences === undefined) return {};
  return {
    jwt: {
      ...(tokenIssuer !== undefined && { "token-bound-issuer": tokenIssuer }),
      ...(tokenAudiences !== undefined && { "token-bound-audiences": tokenAudiences }),
    },
  };
}
