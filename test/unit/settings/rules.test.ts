import assert from "node:assert/strict";
import { type Mistake, shown } from "../../../components/settings/mistakes.ts";
import {
  BUCKET,
  content,
  type Content,
  DATABASE_URL,
  GARAGE,
  GATEWAY_API,
  GATEWAY_API_PARENT,
  MINIO,
  parse,
  STORE_SECRETS,
  VOLUME,
} from "../../support/stack-files.ts";

function accepts(what: string, over: Content): void {
  it(`accepts ${what}`, () => {
    assert.equal(parse(content(over)).mistakes, undefined);
  });
}

function refuses(what: string, over: Content, ...mistakes: Mistake[]): void {
  it(`refuses ${what}`, () => {
    assert.deepEqual(parse(content(over)).mistakes, mistakes);
  });
}

describe("the rule that one volume serves one server", () => {
  accepts("one server on a volume", { storage: VOLUME, server: { replicas: 1 } });
  accepts("several servers on an object store", { storage: MINIO, server: { replicas: 5 } });
  refuses(
    "two servers on a volume",
    { storage: VOLUME, server: { replicas: 2 } },
    {
      key: "server.replicas",
      found: "2",
      allowed:
        "1, because storage.kind is volume and one volume serves one server; choose garage, minio or existing for more",
    },
  );
});

describe("the rule that a store which clients reach has a host name", () => {
  const HOSTLESS =
    "a host name, because Attic redirects clients to presigned URLs on it; or storage.clients: edge where clients only ever pull from the edge";
  for (const kind of ["garage", "minio"]) {
    accepts(`${kind} with a host`, { storage: { kind, host: "s3.example.com" } });
    accepts(`${kind} behind an edge`, { storage: { kind, clients: "edge" } });
    refuses(
      `${kind} without a host`,
      { storage: { kind } },
      { key: "storage.host", found: "nothing", allowed: HOSTLESS },
    );
  }
  accepts("a bucket elsewhere and a volume, which have none", { storage: VOLUME });
  refuses(
    "a host behind an edge",
    { storage: { ...GARAGE, clients: "edge" } },
    { key: "storage.host", found: "s3.example.com", allowed: "nothing, because storage.clients is edge" },
  );
  refuses(
    "the gateway's own host",
    { storage: { ...GARAGE, host: GATEWAY_API.host } },
    { key: "storage.host", found: "cache.example.com", allowed: "another name than gateway.host" },
  );
});

describe("the rule that sizes of chunks are in order", () => {
  accepts("three equal sizes", { server: { chunking: { minSize: 2048, avgSize: 2048, maxSize: 2048 } } });
  refuses(
    "a minimum over the average",
    { server: { chunking: { minSize: 65537 } } },
    {
      key: "server.chunking",
      found: "minSize 65537, avgSize 65536, maxSize 262144",
      allowed: "minSize at most avgSize, and avgSize at most maxSize",
    },
  );
  refuses(
    "an average over the maximum",
    { server: { chunking: { avgSize: 262145 } } },
    {
      key: "server.chunking",
      found: "minSize 16384, avgSize 262145, maxSize 262144",
      allowed: "minSize at most avgSize, and avgSize at most maxSize",
    },
  );
});

describe("the rule that a level fits its compression", () => {
  const compression = (type: string, level?: number): Content => ({
    server: { compression: { type, level } },
  });
  for (const [type, min, max] of [
    ["zstd", 1, 22],
    ["brotli", 0, 11],
    ["xz", 0, 9],
  ] as const) {
    accepts(`${type} at ${min}`, compression(type, min));
    accepts(`${type} at ${max}`, compression(type, max));
    if (max < 22)
      refuses(`${type} at ${max + 1}`, compression(type, max + 1), {
        key: "server.compression.level",
        found: String(max + 1),
        allowed: `a whole number from ${min} to ${max} for ${type}`,
      });
  }
  refuses("zstd at 0", compression("zstd", 0), {
    key: "server.compression.level",
    found: "0",
    allowed: "a whole number from 1 to 22 for zstd",
  });
  accepts("none without a level", compression("none"));
  refuses("none with a level", compression("none", 1), {
    key: "server.compression.level",
    found: "1",
    allowed: "nothing, because the type is none",
  });
});

describe("the rule that a database has enough connections", () => {
  const existing = (replicas: number, maxConnections: number): Content => ({
    server: { replicas },
    database: { kind: "existing", maxConnections },
    databaseUrl: DATABASE_URL,
    storage: BUCKET,
    ...STORE_SECRETS,
  });
  accepts("the budget of one server to the letter", existing(1, 50));
  accepts("the budget of ten servers to the letter", existing(10, 230));
  refuses("one connection less", existing(10, 229), {
    key: "database.maxConnections",
    found: "229",
    allowed:
      "at least 230: 20 for each of the 10 API servers, since old and new ones overlap while they are rolled, and 10 each for the collector, migrations and spare",
  });
  accepts("no number, which cannot be checked", { server: { replicas: 50 } });
  accepts("what PostgreSQL keeps, too", { database: { kind: "postgres", maxConnections: 53 } });
  refuses(
    "PostgreSQL without what it keeps",
    { database: { kind: "postgres", maxConnections: 52 } },
    {
      key: "database.maxConnections",
      found: "52",
      allowed:
        "at least 53: 20 for each of the 1 API servers, since old and new ones overlap while they are rolled, and 10 each for the collector, migrations and spare, 3 that PostgreSQL keeps",
    },
  );
});

describe("the rule that a Gateway is made or named", () => {
  accepts("a class and TLS", { gateway: GATEWAY_API });
  accepts("a parent", { gateway: GATEWAY_API_PARENT });
  const allowed = "className for a Gateway that the stack makes, or parent for one that exists";
  refuses(
    "neither",
    { gateway: { ...GATEWAY_API, className: undefined } },
    { key: "gateway", found: "neither className nor parent", allowed },
  );
  refuses(
    "both",
    { gateway: { ...GATEWAY_API, ...GATEWAY_API_PARENT } },
    { key: "gateway", found: "both className and parent", allowed },
  );
  refuses(
    "a class without TLS",
    { gateway: { ...GATEWAY_API, tls: undefined } },
    { key: "gateway.tls", found: "nothing", allowed: "an object whose kind is cert-manager or secret" },
  );
  refuses(
    "a parent with TLS",
    { gateway: { ...GATEWAY_API_PARENT, tls: { kind: "secret", name: "wildcard" } } },
    {
      key: "gateway.tls",
      found: "an object of kind secret",
      allowed: "nothing, because the Gateway named in gateway.parent ends TLS itself",
    },
  );
});

describe("the rule that no pod asks for more than it may use", () => {
  const sections: Record<string, (resources: Content) => Content> = {
    "server.resources": (resources) => ({ server: { resources } }),
    "server.garbageCollection.resources": (resources) => ({ server: { garbageCollection: { resources } } }),
    "database.resources": (resources) => ({ database: { kind: "postgres", resources } }),
    "storage.resources": (resources) => ({ storage: { ...GARAGE, resources } }),
  };
  for (const [where, over] of Object.entries(sections)) {
    accepts(
      `${where} that are equal`,
      over({ cpu: "1", cpuLimit: "1000m", memory: "1Gi", memoryLimit: "1024Mi" }),
    );
    refuses(
      `${where} over both limits`,
      over({ cpu: "1.5", cpuLimit: "1499m", memory: "1025Mi", memoryLimit: "1Gi" }),
      { key: `${where}.cpu`, found: "1.5", allowed: `at most 1499m, which is ${where}.cpuLimit` },
      { key: `${where}.memory`, found: "1025Mi", allowed: `at most 1Gi, which is ${where}.memoryLimit` },
    );
  }
  accepts("a bucket elsewhere, which has no pods", { storage: BUCKET, ...STORE_SECRETS });
});

describe("the rule that PostgreSQL keeps its data on its volume", () => {
  const image = (name: string): Content => ({ database: { kind: "postgres", image: name } });
  const digest = `sha256:${"0".repeat(64)}`;
  for (const name of [
    "docker.io/library/postgres:18.4",
    "docker.io/library/postgres:19-trixie",
    `registry.example.com:5000/postgres@${digest}`,
    "ghcr.io/cloudnative/postgresql:main",
  ])
    accepts(name, image(name));
  for (const name of [
    "docker.io/library/postgres:17.6",
    `docker.io/library/postgres:9@${digest}`,
    "docker.io/library/postgres:18-alpine",
  ])
    refuses(name, image(name), {
      key: "database.image",
      found: shown(name),
      allowed:
        "the official image of PostgreSQL 18 or later on Debian: earlier ones would lose their data with the pod",
    });
});

describe("the names under which a server may be asked", () => {
  for (const name of ["localhost", "localhost:8080", "10.0.0.1", "[fd00::1]:8080", "attic.lan"])
    accepts(name, { server: { additionalHosts: [name] } });
});
