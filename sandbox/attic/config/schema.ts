import { isIPv4, isIPv6 } from "node:net";
import { z } from "zod";
import { readDuration } from "./duration.ts";

const SOCKET_ADDRESS = /^(?:\[(?<v6>.+)\]|(?<v4>[^:]+)):(?<port>\d{1,5})$/;

/** `0.0.0.0:8080` or `[::]:8080`: names are not looked up. */
export const socketAddress = z.string().transform((text, context) => {
  const { v4 = "", v6 = "", port = "65536" } = SOCKET_ADDRESS.exec(text)?.groups ?? {};
  if ((isIPv4(v4) || isIPv6(v6)) && Number(port) < 65_536)
    return { text, host: v4 || v6, port: Number(port) };
  context.addIssue("is not an address with a port, such as [::]:8080");
  return z.NEVER;
});

const duration = z.string().transform((text, context) => {
  const seconds = readDuration(text);
  if (seconds !== undefined) return seconds;
  context.addIssue("is not a time, such as 12h");
  return z.NEVER;
});

const size = z.int().nonnegative();

const storage = z.discriminatedUnion("type", [
  z.object({ type: z.literal("local"), path: z.string() }),
  z.object({
    type: z.literal("s3"),
    region: z.string(),
    bucket: z.string(),
    endpoint: z.string().optional(),
    credentials: z.object({ access_key_id: z.string(), secret_access_key: z.string() }).optional(),
  }),
]);

/** Where a level is not given, Attic's own for each type. */
const LEVELS = { none: 0, brotli: 5, zstd: 8 } as const;

const compression = z
  .object({
    type: z.enum(["none", "brotli", "zstd"], {
      error: ({ input }) =>
        input === "xz" ? "xz is what atticd can and this stand-in cannot: use zstd" : undefined,
    }),
    level: z.int().optional(),
  })
  .transform(({ type, level }) => ({ type, level: level ?? LEVELS[type] }));

/** server.toml (server/src/config.rs at b7c9056). Only the top level refuses what it does not know. */
export const serverToml = z.strictObject({
  listen: socketAddress.prefault("[::]:8080"),
  "allowed-hosts": z.array(z.string()).default([]),
  "api-endpoint": z.string().optional(),
  "substituter-endpoint": z.string().optional(),
  "soft-delete-caches": z.boolean().default(false),
  "require-proof-of-possession": z.boolean().default(true),
  "max-nar-info-size": size.default(1_048_576),
  database: z.object({ url: z.string().optional(), heartbeat: z.boolean().default(false) }),
  storage,
  chunking: z.object({
    "nar-size-threshold": size,
    "min-size": size,
    "avg-size": size,
    "max-size": size,
  }),
  compression: compression.prefault({ type: "zstd" }),
  "garbage-collection": z
    .object({
      interval: duration.prefault("12h"),
      "default-retention-period": duration.prefault("0s"),
    })
    .prefault({}),
  jwt: z
    .object({
      "token-bound-issuer": z.string().optional(),
      "token-bound-audiences": z.array(z.string()).optional(),
      signing: z.record(z.string(), z.unknown()).optional(),
    })
    .default({}),
});

export type ServerToml = z.infer<typeof serverToml>;
export type Chunking = ServerToml["chunking"];
export type Compression = ServerToml["compression"];
export type StorageConfig = ServerToml["storage"];
