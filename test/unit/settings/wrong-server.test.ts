import { type Content } from "../../support/stack-files.ts";
import { ALLOWED, refusesEach } from "../../support/wrong-values.ts";

const server = (over: Content): Content => ({ server: over });

describe("a wrong value for the server", () => {
  refusesEach({
    "a server that is a text": [
      { server: "big" },
      "server",
      '"big"',
      "an object with the keys image, replicas, signingAlgorithm",
    ],
    "no server at all": [server({ replicas: 0 }), "server.replicas", "0", "a whole number from 1 to 50"],
    "more servers than the connections of any database": [
      server({ replicas: 51 }),
      "server.replicas",
      "51",
      "a whole number from 1 to 50",
    ],
    "half a server": [server({ replicas: 1.5 }), "server.replicas", "1.5", "a whole number from 1 to 50"],
    "replicas as a text": [
      server({ replicas: "3" }),
      "server.replicas",
      '"3"',
      "a whole number from 1 to 50",
    ],
    "replicas that are null": [
      server({ replicas: null }),
      "server.replicas",
      "null",
      "a whole number from 1 to 50",
    ],
    "an image without tag or digest": [
      server({ image: "ghcr.io/zhaofengli/attic" }),
      "server.image",
      '"ghcr.io/zhaofengli/attic"',
      ALLOWED.image,
    ],
    "an image with a short digest": [
      server({ image: "ghcr.io/a/b@sha256:abc" }),
      "server.image",
      '"ghcr.io/a/b@sha256:abc"',
      ALLOWED.image,
    ],
    "an image without a repository": [
      server({ image: "attic:latest" }),
      "server.image",
      '"attic:latest"',
      ALLOWED.image,
    ],
    "an unknown algorithm": [
      server({ signingAlgorithm: "ES256" }),
      "server.signingAlgorithm",
      '"ES256"',
      "RS256, HS256",
    ],
    "one further host as a text": [
      server({ additionalHosts: "a.example.com" }),
      "server.additionalHosts",
      '"a.example.com"',
      "a list of at most 20 names as they stand in a Host header, such as attic.lan or localhost:8080",
    ],
    "a further host that is none": [
      server({ additionalHosts: ["a.example.com", "A B"] }),
      "server.additionalHosts[1]",
      '"A B"',
      "a host name or address, with a port where one is asked for",
    ],
    "21 further hosts": [
      server({ additionalHosts: Array<string>(21).fill("a.b") }),
      "server.additionalHosts",
      '["a.b","a.b","a.b","a.b","a.b","a.b","a.b","a.b","a.b","a...',
      "a list of at most 20 names as they stand in a Host header, such as attic.lan or localhost:8080",
    ],
    "a yes instead of true": [
      server({ softDeleteCaches: "yes" }),
      "server.softDeleteCaches",
      '"yes"',
      "true or false",
    ],
    "a 1 instead of true": [
      server({ requireProofOfPossession: 1 }),
      "server.requireProofOfPossession",
      "1",
      "true or false",
    ],
    "an upload description too small for any": [
      server({ maxNarInfoSize: 4095 }),
      "server.maxNarInfoSize",
      "4095",
      "a whole number from 4096 to 67108864",
    ],
    "an empty issuer": [
      server({ tokenIssuer: "" }),
      "server.tokenIssuer",
      '""',
      "a text of 1 to 256 characters",
    ],
    "no audiences": [
      server({ tokenAudiences: [] }),
      "server.tokenAudiences",
      "[]",
      "a list of 1 to 20 texts",
    ],
    "an audience that is a number": [
      server({ tokenAudiences: [7] }),
      "server.tokenAudiences[0]",
      "7",
      "a text of 1 to 256 characters",
    ],
    "a negative threshold": [
      server({ chunking: { narSizeThreshold: -1 } }),
      "server.chunking.narSizeThreshold",
      "-1",
      "a whole number from 0 to 9007199254740991",
    ],
    "a chunk size as a quantity": [
      server({ chunking: { minSize: "16Ki" } }),
      "server.chunking.minSize",
      '"16Ki"',
      "a whole number from 64 to 67108864",
    ],
    "an average that FastCDC refuses": [
      server({ chunking: { avgSize: 255 } }),
      "server.chunking.avgSize",
      "255",
      "a whole number from 256 to 268435456",
    ],
    "a maximum that FastCDC refuses": [
      server({ chunking: { maxSize: 2 ** 30 + 1 } }),
      "server.chunking.maxSize",
      "1073741825",
      "a whole number from 1024 to 1073741824",
    ],
    "an unknown compression": [
      server({ compression: { type: "gzip" } }),
      "server.compression.type",
      '"gzip"',
      "zstd, brotli, xz, none",
    ],
    "a level that no algorithm has": [
      server({ compression: { level: 23 } }),
      "server.compression.level",
      "23",
      "a whole number from 0 to 22",
    ],
    "an interval of nothing": [
      server({ garbageCollection: { interval: "0s" } }),
      "server.garbageCollection.interval",
      '"0s"',
      "a whole number with s, m, h, d, w or y, such as 12h",
    ],
    "an interval of two parts": [
      server({ garbageCollection: { interval: "1h30m" } }),
      "server.garbageCollection.interval",
      '"1h30m"',
      "such as 12h",
    ],
    "a retention of never spelt otherwise": [
      server({ garbageCollection: { defaultRetention: "forever" } }),
      "server.garbageCollection.defaultRetention",
      '"forever"',
      "never, or a whole number with s, m, h, d, w or y of at most 68y, such as 90d",
    ],
    "a retention that Attic's 32 bits wrap": [
      server({ garbageCollection: { defaultRetention: "69y" } }),
      "server.garbageCollection.defaultRetention",
      '"69y"',
      "at most 68y",
    ],
    "a retention one second over": [
      server({ garbageCollection: { defaultRetention: "999999d" } }),
      "server.garbageCollection.defaultRetention",
      '"999999d"',
      "at most 68y",
    ],
    "CPU as a number": [server({ resources: { cpu: 2 } }), "server.resources.cpu", "2", ALLOWED.cpu],
    "CPU of nothing": [server({ resources: { cpu: "0m" } }), "server.resources.cpu", '"0m"', ALLOWED.cpu],
    "memory in decimal units": [
      server({ resources: { memory: "512M" } }),
      "server.resources.memory",
      '"512M"',
      ALLOWED.size,
    ],
    "memory with a fraction": [
      server({ resources: { memoryLimit: "1.5Gi" } }),
      "server.resources.memoryLimit",
      '"1.5Gi"',
      ALLOWED.size,
    ],
  });
});
