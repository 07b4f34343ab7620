import { z } from "zod";
import {
  bucket,
  certificates,
  choice,
  hostname,
  image,
  objectName,
  quantity,
  region,
  resources,
  section,
  url,
} from "./leaf.ts";

export const GARAGE_IMAGE =
  "docker.io/dxflrs/garage:v2.4.1@sha256:9c96caa2612d3411acc5b0e6701fb238dbfba33e533a6d7d3d811a4b12d0d020";

/** SILO, the maintained fork of MinIO, whose image holds the client `mcli` too. */
export const MINIO_IMAGE =
  "docker.io/pgsty/silo:RELEASE.2026-09-16T00-00-00Z@sha256:635197cb9f36d01bee221d34d1c7d7960f6a95c48b0b6c01d99cd13bdae51a46";

/** What the object stores in the cluster have in common. */
const inCluster = {
  clients: choice(
    "Where clients fetch NARs from. direct: Attic redirects them to presigned URLs on `host`, which the gateway publishes and both clients and servers use. edge: clients only ever pull from the edge, and the store stays inside the cluster.",
    ["direct", "edge"],
  ).default("direct"),
  host: hostname(
    "The store's own host name, other than the gateway's; needed where clients are direct.",
  ).optional(),
  caBundle: certificates(
    "Certificates that sign the gateway's, where they are not public ones: the servers then trust these and no others.",
  ).optional(),
  bucket: bucket("Bucket for the chunks, made before the server starts.").default("attic"),
  size: quantity("Size of the volume for the chunks.").default("100Gi"),
  storageClass: objectName("Storage class of its volumes; without it the cluster's default.").optional(),
};

const garage = section("Garage in the cluster.", {
  kind: z.literal("garage"),
  ...inCluster,
  image: image("Garage's image, 2.3 or later.").default(GARAGE_IMAGE),
  metadataSize: quantity("Size of the volume for Garage's metadata, which likes a fast disk.").default(
    "10Gi",
  ),
  resources: resources({ cpu: "100m", memory: "256Mi", memoryLimit: "2Gi" }),
});

const minio = section("MinIO in the cluster, by its maintained fork SILO.", {
  kind: z.literal("minio"),
  ...inCluster,
  image: image("The image, with the server and the client mcli.").default(MINIO_IMAGE),
  resources: resources({ cpu: "100m", memory: "512Mi", memoryLimit: "2Gi" }),
});

const existing = section(
  "An S3 bucket elsewhere (AWS, Ceph, R2 ...). Its keys are the secrets storageAccessKeyId and storageSecretAccessKey.",
  {
    kind: z.literal("existing"),
    endpoint: url(
      "The S3 address, the one that clients reach too; left out for AWS, which has its own.",
    ).optional(),
    bucket: bucket("The bucket. Versioning, object lock and expiry must be off."),
    region: region("Its region."),
    caBundle: certificates(
      "Certificates that sign the endpoint's, where they are not public ones: the servers then trust these and no others.",
    ).optional(),
  },
);

const volume = section("A plain volume and no object store, for one server only.", {
  kind: z.literal("volume"),
  size: quantity("Size of the volume.").default("100Gi"),
  storageClass: objectName("Its storage class; without it the cluster's default.").optional(),
});

export const storageSection = z.discriminatedUnion("kind", [garage, minio, existing, volume]).meta({
  description: "Where Attic keeps chunks.",
  allowed: "an object whose kind is garage, minio, existing or volume",
});

export type StorageSettings = z.infer<typeof storageSection>;
export type GarageSettings = z.infer<typeof garage>;
export type MinioSettings = z.infer<typeof minio>;
export type ExistingStorageSettings = z.infer<typeof existing>;
export type VolumeSettings = z.infer<typeof volume>;
