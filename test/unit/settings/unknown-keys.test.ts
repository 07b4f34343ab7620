import assert from "node:assert/strict";
import { nearest, unknownKey } from "../../../components/settings/mistakes.ts";
import { content, type Content, GARAGE, GATEWAY_API, parse } from "../../support/stack-files.ts";

const TOP =
  "namespace, protectData, gateway, server, database, storage, caches, tokens, edge, connection, provision, databaseUrl, storageAccessKeyId, storageSecretAccessKey, cacheKeypairs";

/** What stands in the file, the key that is named, and the whole of what is allowed. */
type Case = [over: Content, key: string, allowed: string];

const cases: Record<string, Case> = {
  "at the top, misspelt": [{ namspace: "attic" }, "namspace", `did you mean namespace? Known are ${TOP}`],
  "at the top, in another case": [{ Server: {} }, "Server", `did you mean server? Known are ${TOP}`],
  "at the top, with hyphens": [
    { "database-url": "x" },
    "database-url",
    `did you mean databaseUrl? Known are ${TOP}`,
  ],
  "at the top, near to nothing": [{ monitoring: true }, "monitoring", TOP],
  "in a section": [
    { server: { replica: 2 } },
    "server.replica",
    "did you mean replicas? Known are image, replicas, signingAlgorithm, additionalHosts, softDeleteCaches, requireProofOfPossession, maxNarInfoSize, tokenIssuer, tokenAudiences, chunking, compression, garbageCollection, resources",
  ],
  "in Attic's own spelling": [
    { server: { chunking: { "min-size": 1 } } },
    "server.chunking.min-size",
    "did you mean minSize? Known are narSizeThreshold, minSize, avgSize, maxSize",
  ],
  "three sections down": [
    { server: { garbageCollection: { resources: { memorylimit: "1Gi" } } } },
    "server.garbageCollection.resources.memorylimit",
    "did you mean memoryLimit? Known are cpu, cpuLimit, memory, memoryLimit",
  ],
  "of one kind of several": [
    { storage: { ...GARAGE, sise: "1Gi" } },
    "storage.sise",
    "did you mean size? Known are kind, clients, host, caBundle, bucket, size, storageClass, image, metadataSize, resources",
  ],
  "of another kind": [
    { storage: { kind: "volume", bucket: "attic" } },
    "storage.bucket",
    "kind, size, storageClass",
  ],
  "in a kind inside of a kind": [
    { gateway: { ...GATEWAY_API, tls: { kind: "cert-manager", issuer: "a", issuerkind: "Issuer" } } },
    "gateway.tls.issuerkind",
    "did you mean issuerKind? Known are kind, issuer, issuerKind",
  ],
  "with a secret's value in a section": [
    { database: { kind: "postgres", password: "hunter2" } },
    "database.password",
    "kind, image, size, storageClass, maxConnections, resources",
  ],
};

describe("an unknown key", () => {
  for (const [where, [over, key, allowed]] of Object.entries(cases)) {
    it(`is refused with the nearest known one: ${where}`, () => {
      assert.deepEqual(parse(content(over)).mistakes, [{ key, found: "a key that is not known", allowed }]);
    });
  }

  it("is one mistake for each of several in one object", () => {
    const { mistakes } = parse(content({ server: { a1: 1, b2: 2, replicas: 2 } }));
    assert.deepEqual(
      mistakes?.map(({ key }) => key),
      ["server.a1", "server.b2"],
    );
  });

  it("is shown as a text and short where nobody would write such a key", () => {
    assert.equal(unknownKey("", "a\nattic-stack:fake\n", []).key, '"a\\nattic-stack:fake\\n"');
    assert.equal(unknownKey("server", "x".repeat(1000), []).key, `server."${"x".repeat(56)}...`);
  });
});

describe("the nearest word", () => {
  const known = ["gateway-api", "traefik", "nginx"];

  it("is found over case and punctuation", () => {
    assert.equal(nearest("GatewayAPI", known), "gateway-api");
  });

  it("is found over two letters", () => {
    assert.equal(nearest("traefic", known), "traefik");
    assert.equal(nearest("ngin", known), "nginx");
  });

  it("is none where nothing is near", () => {
    assert.equal(nearest("haproxy", known), undefined);
    assert.equal(nearest("anything", []), undefined);
  });
});
