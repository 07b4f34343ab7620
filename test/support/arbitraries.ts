import fc from "fast-check";
import { EVERYTHING } from "../../components/attic/permissions.ts";
import { CERTIFICATE, type Content, STORE_SECRETS } from "./stack-files.ts";

/** A record of which any key but those of `required` may be missing. */
function some<T extends Record<string, fc.Arbitrary<unknown>>>(
  required: (keyof T & string)[],
  shape: T,
): fc.Arbitrary<Content> {
  return fc.record(shape, { requiredKeys: required });
}

const word = fc.stringMatching(/^[a-z]([a-z0-9-]{0,10}[a-z0-9])?$/);
const host = fc.stringMatching(/^[a-z]{1,8}\.[a-z]{1,8}\.[a-z]{2,3}$/);
const size = fc
  .tuple(fc.integer({ min: 1, max: 999 }), fc.constantFrom("Mi", "Gi", "Ti"))
  .map((t) => t.join(""));
const duration = (max: number) =>
  fc.tuple(fc.integer({ min: 1, max }), fc.constantFrom("s", "m", "h", "d", "w", "y")).map((t) => t.join(""));
const cpu = fc.constantFrom("1m", "250m", "0.5", "1", "2.25", "64");
const image = fc.constantFrom(
  "ghcr.io/zhaofengli/attic:latest",
  `docker.io/library/postgres:18@sha256:${"a".repeat(64)}`,
  `registry.local:5000/garage@sha256:${"0".repeat(64)}`,
);
const certificates = fc.integer({ min: 1, max: 3 }).map((count) => CERTIFICATE.repeat(count));
const one = fc.constant;
/** Limits that are high enough for whatever is asked for. */
const resources = some([], {
  cpu,
  cpuLimit: one("64"),
  memory: size,
}).map((given) => ({ ...given, memoryLimit: "1000Ti" }));

const tls = fc.oneof(
  some(["kind", "issuer"], {
    kind: one("cert-manager"),
    issuer: word,
    issuerKind: fc.constantFrom("Issuer", "ClusterIssuer"),
  }),
  fc.record({ kind: one("secret"), name: word }),
);
const common = {
  host,
  proxiedBy: fc.constantFrom("nothing", "cloudflare-free", "cloudflare-enterprise"),
  controllerNamespace: word,
};
const gateway = fc.oneof(
  some(["kind", "host", "className", "tls"], { kind: one("gateway-api"), ...common, className: word, tls }),
  some(["kind", "host", "parent"], {
    kind: one("gateway-api"),
    ...common,
    parent: some(["name", "namespace"], { name: word, namespace: word, sectionName: word }),
  }),
  some(["kind", "host", "tls"], {
    kind: one("traefik"),
    ...common,
    tls,
    className: word,
    entryPoint: word,
    readTimeout: fc.oneof(one("none"), duration(999_999)),
  }),
  some(["kind", "host", "tls"], {
    kind: one("nginx"),
    ...common,
    tls,
    className: word,
    bodyLimit: fc.oneof(one("none"), size),
  }),
);

const chunking = fc
  .tuple(fc.integer({ min: 1024, max: 2 ** 20 }), fc.nat(2 ** 20), fc.nat(2 ** 20))
  .map(([minSize, more, most]) => ({ minSize, avgSize: minSize + more, maxSize: minSize + more + most }));
const server = (replicas: fc.Arbitrary<number>) =>
  some([], {
    image,
    replicas,
    signingAlgorithm: fc.constantFrom("RS256", "HS256"),
    additionalHosts: fc.array(host, { maxLength: 20 }),
    softDeleteCaches: fc.boolean(),
    requireProofOfPossession: fc.boolean(),
    maxNarInfoSize: fc.integer({ min: 4096, max: 2 ** 26 }),
    tokenIssuer: fc.string({ minLength: 1, maxLength: 256 }),
    tokenAudiences: fc.array(fc.string({ minLength: 1, maxLength: 20 }), { minLength: 1, maxLength: 20 }),
    chunking,
    compression: fc.oneof(
      fc.record({ type: one("zstd"), level: fc.integer({ min: 1, max: 22 }) }),
      fc.record({ type: one("brotli"), level: fc.integer({ min: 0, max: 11 }) }),
      fc.record({ type: fc.constantFrom("xz", "none") }),
    ),
    garbageCollection: some([], {
      interval: duration(999_999),
      defaultRetention: fc.oneof(one("never"), duration(68)),
      resources,
    }),
    resources,
  });

const secrets = { ...STORE_SECRETS, databaseUrl: "postgres://attic:pw-in-confidence@db.example.com/attic" };

/** Each with the secrets that it calls for. */
const database = fc.oneof(
  some(["kind"], { kind: one("postgres"), image, size, storageClass: word, resources }).map((section) => ({
    database: section,
  })),
  some(["kind"], {
    kind: one("existing"),
    caBundle: certificates,
    maxConnections: fc.integer({ min: 1030, max: 10_000 }),
  }).map((section) => ({ database: section, databaseUrl: secrets.databaseUrl })),
  one({}),
);
const inCluster = {
  caBundle: certificates,
  bucket: one("nix-chunks"),
  size,
  storageClass: word,
  image,
  resources,
};
const storage = fc.oneof(
  some(["kind", "host"], {
    kind: fc.constantFrom("garage", "minio"),
    // The gateway's hosts have three labels.
    host: host.map((name) => `s3.${name}`),
    clients: one("direct"),
    ...inCluster,
  }).map((section) => ({ storage: section })),
  some(["kind", "clients"], {
    kind: fc.constantFrom("garage", "minio"),
    clients: one("edge"),
    ...inCluster,
  }).map((section) => ({ storage: section })),
  some(["kind", "bucket", "region"], {
    kind: one("existing"),
    endpoint: fc.constantFrom("https://s3.example.com", "http://ceph.lan:7480/"),
    bucket: one("nix-chunks"),
    region: one("eu-central-1"),
    caBundle: certificates,
  }).map((section) => ({ storage: section, ...STORE_SECRETS })),
);

const onVolume = some(["kind"], { kind: one("volume"), size, storageClass: word }).map((section) => ({
  storage: section,
}));

/** A name that a cache may have; some are also names of what every object has. */
export const cacheName = fc.oneof(
  { weight: 4, arbitrary: fc.stringMatching(/^[A-Za-z0-9][A-Za-z0-9_+-]{0,49}$/) },
  { weight: 1, arbitrary: fc.constantFrom("constructor", "toString", "0", "2024") },
);
const cache = some(["name"], {
  name: cacheName,
  public: fc.boolean(),
  priority: fc.nat(2 ** 31 - 1),
  storeDir: fc.constantFrom("/nix/store", "/home/me/.nix/store", "/gnu/store"),
  upstreamCacheKeyNames: fc.uniqueArray(host, { maxLength: 4 }),
  retention: fc.oneof(fc.constantFrom("default", "never"), duration(68)),
  adopt: fc.boolean(),
  protect: fc.boolean(),
});
const permission = (name: fc.Arbitrary<string>) =>
  fc.record({
    cache: name,
    allow: fc.uniqueArray(fc.constantFrom(...EVERYTHING), { minLength: 1 }),
  });
const permissions = fc
  .tuple(
    fc.uniqueArray(permission(cacheName), { minLength: 1, maxLength: 4, selector: (entry) => entry.cache }),
    fc.subarray(["team-*", "*"]),
  )
  .map(([named, patterns]) => [
    ...named,
    ...patterns.map((pattern) => ({ cache: pattern, allow: ["pull"] })),
  ]);
const token = some(["name", "permissions"], {
  name: word,
  subject: word,
  permissions,
  validity: fc
    .tuple(fc.integer({ min: 1, max: 100 }), fc.constantFrom("h", "d", "w", "y"))
    .map((t) => t.join("")),
  renewBefore: duration(59).map((text) => text.replace(/.$/, "s")),
  notBefore: fc
    .date({ min: new Date(0), max: new Date("9999-12-31T23:59:59Z"), noInvalidDate: true })
    .map((date) => date.toISOString().replace(/\.\d+/, "")),
});
const caches = fc.uniqueArray(cache, { maxLength: 4, selector: ({ name }) => name });
const tokens = fc.uniqueArray(token, { maxLength: 4, selector: ({ name }) => name });

/** Content of a stack's file that is right, with every kind of everything. */
export const rightContent: fc.Arbitrary<Content> = fc
  .tuple(
    some(["gateway"], {
      namespace: word,
      gateway,
      caches,
      tokens,
      connection: fc.constantFrom("tunnel", "gateway"),
    }),
    database,
    fc.oneof(
      fc.tuple(storage, some([], { server: server(fc.integer({ min: 1, max: 50 })) })),
      fc.tuple(onVolume, some([], { server: server(one(1)) })),
    ),
  )
  .map(([top, data, [store, servers]]) => ({ ...top, ...data, ...store, ...servers }));
