import { BUCKET, type Content, GARAGE, STORE_SECRETS } from "../../support/stack-files.ts";
import { ALLOWED, refusesEach } from "../../support/wrong-values.ts";

const storage = (over: Content): Content => ({ storage: { ...GARAGE, ...over } });
const bucket = (over: Content): Content => ({ storage: { ...BUCKET, ...over }, ...STORE_SECRETS });
const database = (over: Content): Content => ({ database: { kind: "postgres", ...over } });

describe("a wrong database or store", () => {
  refusesEach({
    "a database of an unknown kind": [
      { database: { kind: "mysql" } },
      "database.kind",
      '"mysql"',
      "one of postgres, existing",
    ],
    "a database that is its URL": [
      { database: "postgres://attic:hunter2@db/attic" },
      "database",
      '"postgres://attic:...@db/attic"',
      "an object whose kind is postgres or existing",
    ],
    "a database that is too small to have a size": [
      database({ size: "10" }),
      "database.size",
      '"10"',
      ALLOWED.size,
    ],
    "a storage class with a slash": [
      database({ storageClass: "fast/ssd" }),
      "database.storageClass",
      '"fast/ssd"',
      ALLOWED.name,
    ],
    "too few connections for anything": [
      database({ maxConnections: 49 }),
      "database.maxConnections",
      "49",
      "a whole number from 50 to 2000",
    ],
    "a CA that is a path": [
      { database: { kind: "existing", caBundle: "/etc/ca.crt" }, databaseUrl: "postgres://a:b@c/d" },
      "database.caBundle",
      '"/etc/ca.crt"',
      ALLOWED.certificates,
    ],

    "no storage": [
      { storage: undefined },
      "storage",
      "nothing",
      "an object whose kind is garage, minio, existing or volume",
    ],
    "a store of an unknown kind": [
      { storage: { kind: "ceph" } },
      "storage.kind",
      '"ceph"',
      "one of garage, minio, existing, volume",
    ],
    "a store's kind misspelt": [
      { storage: { kind: "Minio" } },
      "storage.kind",
      '"Minio"',
      "did you mean minio? one of garage, minio, existing, volume",
    ],
    "an unknown way of the clients": [
      storage({ clients: "proxy" }),
      "storage.clients",
      '"proxy"',
      "direct, edge",
    ],
    "a bucket with a capital": [storage({ bucket: "Attic" }), "storage.bucket", '"Attic"', ALLOWED.bucket],
    "a bucket of two characters": [storage({ bucket: "ab" }), "storage.bucket", '"ab"', ALLOWED.bucket],
    "a bucket with two dots": [storage({ bucket: "a..b" }), "storage.bucket", '"a..b"', ALLOWED.bucket],
    "a size that shrinks to nothing": [storage({ size: "0Gi" }), "storage.size", '"0Gi"', ALLOWED.size],
    "a metadata size as a number": [
      storage({ metadataSize: 10 }),
      "storage.metadataSize",
      "10",
      ALLOWED.size,
    ],
    "an existing bucket without its region": [
      bucket({ region: undefined }),
      "storage.region",
      "nothing",
      "a region's name, such as eu-central-1, garage or auto",
    ],
    "an existing bucket without a name": [
      bucket({ bucket: undefined }),
      "storage.bucket",
      "nothing",
      ALLOWED.bucket,
    ],
    "an endpoint with a path": [
      bucket({ endpoint: "https://s3.example.com/nix" }),
      "storage.endpoint",
      '"https://s3.example.com/nix"',
      ALLOWED.url,
    ],
    "an endpoint without a scheme": [
      bucket({ endpoint: "s3.example.com" }),
      "storage.endpoint",
      '"s3.example.com"',
      ALLOWED.url,
    ],
    "an endpoint of another scheme": [
      bucket({ endpoint: "s3://nix-cache" }),
      "storage.endpoint",
      '"s3://nix-cache"',
      ALLOWED.url,
    ],
    "an endpoint with credentials": [
      bucket({ endpoint: "https://id:key@s3.example.com" }),
      "storage.endpoint",
      '"https://id:...@s3.example.com"',
      ALLOWED.url,
    ],
  });
});
