import { z } from "zod";
import {
  choice,
  flag,
  hostHeader,
  image,
  interval,
  key,
  resources,
  retention,
  section,
  wholeNumber,
} from "./leaf.ts";

/**
 * Attic publishes no releases: tags are commits. This is the image of 12cbeca141f4 (2025-09-24), the newest
 * whose digest is known.
 */
export const ATTIC_IMAGE =
  "ghcr.io/zhaofengli/attic:12cbeca141f46e1ade76728bce8adc447f2166c6@sha256:18574aba70fc89d2b695273fbe2e7b2f8ad7e8e786b4cc535124fbe14bada1d0";

const KIB = 1024;

/** Attic's own defaults: the preferred sizes of chunks, in bytes. */
const chunking = section(
  "How NARs are cut into chunks. Changing it on a cache that holds something loses deduplication.",
  {
    narSizeThreshold: wholeNumber(
      "Bytes from which on a NAR is cut; 0 never cuts, 1 always.",
      0,
      Number.MAX_SAFE_INTEGER,
    ).default(64 * KIB),
    minSize: wholeNumber("Smallest chunk, in bytes.", 64, 64 * KIB * KIB).default(16 * KIB),
    avgSize: wholeNumber("Average chunk, in bytes.", 256, 256 * KIB * KIB).default(64 * KIB),
    maxSize: wholeNumber("Largest chunk, in bytes.", 1024, 1024 * KIB * KIB).default(256 * KIB),
  },
);

const compression = section("How chunks are compressed.", {
  type: choice("The algorithm.", ["zstd", "brotli", "xz", "none"]).default("zstd"),
  level: wholeNumber(
    "Its level; without it Attic takes 8 for zstd, 5 for brotli and 2 for xz.",
    0,
    22,
  ).optional(),
});

const garbageCollection = section("When unused paths go.", {
  interval: interval("How often the collector runs.").default("12h"),
  defaultRetention: retention(
    "How long a path that nobody pulls is kept, in caches that say nothing else.",
  ).default("never"),
  resources: resources({ cpu: "50m", memory: "128Mi", memoryLimit: "1Gi" }),
});

export const serverSection = section("The Attic server.", {
  image: image("Attic's image.").default(ATTIC_IMAGE),
  replicas: wholeNumber(
    "API servers. From two on they are spread over nodes and zones and have a disruption budget.",
    1,
    50,
  ).default(1),
  signingAlgorithm: choice(
    "How tokens are signed. RS256 lets an edge check tokens that it cannot make; HS256 is shorter.",
    ["RS256", "HS256"],
  ).default("RS256"),
  additionalHosts: key(
    z.array(hostHeader("A name.")).max(20),
    "Further names under which the server may be asked, beside the gateway's host and its names in the cluster. The port belongs to the name: localhost:8080 for a forwarded port.",
    "a list of at most 20 names as they stand in a Host header, such as attic.lan or localhost:8080",
  ).default([]),
  softDeleteCaches: flag(
    "Keep the record of a deleted cache. Its name cannot be used again while that record is there.",
  ).default(false),
  requireProofOfPossession: flag(
    "Make a client upload a NAR in full even where another cache holds it, so that a hash alone gives no access.",
  ).default(true),
  maxNarInfoSize: wholeNumber("Largest upload description, in bytes.", 4096, 64 * KIB * KIB).default(
    KIB * KIB,
  ),
  tokenIssuer: key(
    z.string().min(1).max(256),
    "The `iss` claim that every token must have. Changing it makes all tokens void.",
    "a text of 1 to 256 characters",
  ).optional(),
  tokenAudiences: key(
    z
      .array(key(z.string().min(1).max(256), "An audience.", "a text of 1 to 256 characters"))
      .min(1)
      .max(20),
    "The `aud` claims of which every token must have one. Changing them makes tokens void.",
    "a list of 1 to 20 texts",
  ).optional(),
  chunking: chunking.prefault({}),
  compression: compression.prefault({}),
  garbageCollection: garbageCollection.prefault({}),
  resources: resources({ cpu: "250m", memory: "256Mi", memoryLimit: "2Gi" }),
});

export type ServerSettings = z.infer<typeof serverSection>;
