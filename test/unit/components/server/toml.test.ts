import assert from "node:assert/strict";
import fc from "fast-check";
import { serverToml } from "../../../../components/server/toml.ts";
import { rightContent } from "../../../support/arbitraries.ts";
import { type Content, parse, settingsOf } from "../../../support/stack-files.ts";
import { tomlOf } from "../../../support/values.ts";

const S3 = { type: "s3", bucket: "attic", region: "garage", endpoint: "https://s3.example.com" } as const;

function tomlFor(server: Content, more: Partial<Parameters<typeof serverToml>[0]> = {}) {
  return tomlOf(
    serverToml({
      settings: settingsOf({ server }).server,
      apiEndpoint: "https://cache.example.com/",
      allowedHosts: ["cache.example.com", "attic"],
      store: S3,
      ...more,
    }),
  );
}

/** What the smallest file gives. */
const DEFAULT = {
  listen: "[::]:8080",
  "allowed-hosts": ["cache.example.com", "attic"],
  "api-endpoint": "https://cache.example.com/",
  "soft-delete-caches": false,
  "require-proof-of-possession": true,
  "max-nar-info-size": 1_048_576,
  database: {},
  storage: S3,
  chunking: { "nar-size-threshold": 65_536, "min-size": 16_384, "avg-size": 65_536, "max-size": 262_144 },
  compression: { type: "zstd" },
  "garbage-collection": { interval: "43200s", "default-retention-period": "0s" },
};

/** Every key that Attic knows at the top (server/src/config.rs), which refuses any other. */
const KNOWN = [
  "listen",
  "allowed-hosts",
  "api-endpoint",
  "substituter-endpoint",
  "soft-delete-caches",
  "require-proof-of-possession",
  "max-nar-info-size",
  "database",
  "storage",
  "chunking",
  "compression",
  "garbage-collection",
  "jwt",
];

describe("server.toml", () => {
  it("holds Attic's own defaults where nothing is said", () => {
    assert.deepEqual(tomlFor({}), DEFAULT);
  });

  const cases: Record<string, [server: Content, changed: Record<string, unknown>]> = {
    "another compression and level": [
      { compression: { type: "xz", level: 6 } },
      { compression: { type: "xz", level: 6 } },
    ],
    "no compression": [{ compression: { type: "none" } }, { compression: { type: "none" } }],
    "other chunks": [
      { chunking: { narSizeThreshold: 0, minSize: 1024, avgSize: 2048, maxSize: 4096 } },
      { chunking: { "nar-size-threshold": 0, "min-size": 1024, "avg-size": 2048, "max-size": 4096 } },
    ],
    "a retention and an interval": [
      { garbageCollection: { interval: "1d", defaultRetention: "180d" } },
      { "garbage-collection": { interval: "86400s", "default-retention-period": "15552000s" } },
    ],
    "the longest retention": [
      { garbageCollection: { defaultRetention: "68y" } },
      { "garbage-collection": { interval: "43200s", "default-retention-period": "2144448000s" } },
    ],
    "soft deletion": [{ softDeleteCaches: true }, { "soft-delete-caches": true }],
    "no proof of possession": [{ requireProofOfPossession: false }, { "require-proof-of-possession": false }],
    "another limit of an upload's description": [{ maxNarInfoSize: 4096 }, { "max-nar-info-size": 4096 }],
    "an issuer": [{ tokenIssuer: "ci" }, { jwt: { "token-bound-issuer": "ci" } }],
    audiences: [{ tokenAudiences: ["a", "b"] }, { jwt: { "token-bound-audiences": ["a", "b"] } }],
    both: [
      { tokenIssuer: 'say "hi"\n', tokenAudiences: ["ü"] },
      { jwt: { "token-bound-issuer": 'say "hi"\n', "token-bound-audiences": ["ü"] } },
    ],
  };
  for (const [what, [server, changed]] of Object.entries(cases)) {
    it(`differs in nothing else with ${what}`, () => {
      assert.deepEqual(tomlFor(server), { ...DEFAULT, ...changed });
    });
  }

  it("keeps chunks of a local store in its volume", () => {
    assert.deepEqual(tomlFor({}, { store: { type: "local" } }), {
      ...DEFAULT,
      storage: { type: "local", path: "/var/lib/attic" },
    });
  });

  it("has no address for AWS, which has its own", () => {
    const store = { type: "s3", bucket: "nix", region: "eu-central-1" } as const;
    assert.deepEqual(tomlFor({}, { store }).storage, store);
  });

  it("is refused with an API endpoint that has no slash at its end", () => {
    assert.throws(
      () => tomlFor({}, { apiEndpoint: "https://cache.example.com" }),
      new RangeError("api-endpoint must end with a slash: https://cache.example.com"),
    );
  });

  it("holds for any settings what Attic can read: its tables, known keys, and no secret", () => {
    fc.assert(
      fc.property(rightContent, (file) => {
        const { server, gateway } = parse(file).settings!;
        const text = serverToml({
          settings: server,
          apiEndpoint: `https://${gateway.host}/`,
          allowedHosts: [gateway.host, ...server.additionalHosts],
          store: S3,
        });
        const table = tomlOf(text);
        for (const key of ["database", "storage", "chunking"]) assert.equal(typeof table[key], "object");
        assert.deepEqual(
          Object.keys(table).filter((key) => !KNOWN.includes(key)),
          [],
        );
        assert.equal(table["api-endpoint"], `https://${gateway.host}/`);
        assert.deepEqual(table.database, {});
        assert.doesNotMatch(text, /secret|password|in-confidence/i);
        const collection = table["garbage-collection"] as Record<string, string>;
        for (const value of Object.values(collection)) assert.match(value, /^[0-9]+s$/);
        assert.ok(Number.parseInt(collection["default-retention-period"]!, 10) < 2 ** 31);
      }),
      { numRuns: 200 },
    );
  });
});
