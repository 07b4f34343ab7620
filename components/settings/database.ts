import { z } from "zod";
import { certificates, image, objectName, quantity, resources, section, wholeNumber } from "./leaf.ts";

/** The official image. The digest is that of the multi-platform index of the tag. */
export const POSTGRES_IMAGE =
  "docker.io/library/postgres:18.4@sha256:3a82e1f56c8f0f5616a11103ac3d47e632c3938698946a7ad26da0df1334744a";

const postgres = section(
  "PostgreSQL in the cluster: one server, one volume, TLS by a certificate of its own.",
  {
    kind: z.literal("postgres"),
    image: image("The official image of PostgreSQL 18 or later.").default(POSTGRES_IMAGE),
    size: quantity("Size of its volume.").default("10Gi"),
    storageClass: objectName("Storage class of its volume; without it the cluster's default.").optional(),
    maxConnections: wholeNumber(
      "Connections that the server takes. Attic needs 20 for each API server and 30 more.",
      50,
      2000,
    ).optional(),
    resources: resources({ cpu: "100m", memory: "512Mi", memoryLimit: "1Gi" }),
  },
);

const existing = section("A PostgreSQL server elsewhere; its URL is the secret databaseUrl.", {
  kind: z.literal("existing"),
  caBundle: certificates(
    "Certificates that sign the server's; with them the connection is checked in full (verify-full).",
  ).optional(),
  maxConnections: wholeNumber(
    "Connections that the server leaves to Attic. Where it is given, the number of servers is checked against it.",
    50,
    10_000,
  ).optional(),
});

export const databaseSection = z.discriminatedUnion("kind", [postgres, existing]).meta({
  description: "Where Attic keeps what is in which cache, and the caches' signing keys.",
  allowed: "an object whose kind is postgres or existing",
});

export type DatabaseSettings = z.infer<typeof databaseSection>;
export type PostgresSettings = z.infer<typeof postgres>;
export type ExistingDatabaseSettings = z.infer<typeof existing>;
