import assert from "node:assert/strict";
import { NODE_IMAGE } from "../../../components/settings/edge.ts";
import { content, type Content, parse, settingsOf } from "../../support/stack-files.ts";
import { ALLOWED, refusesEach } from "../../support/wrong-values.ts";

const ACCOUNT = "0123456789abcdef0123456789abcdef";
const ZONE = "fedcba9876543210fedcba9876543210";
const EDGE = { account: ACCOUNT, zone: ZONE, host: "edge.example.com", caches: ["main"] };
const CACHES = [{ name: "main", public: true }, { name: "private" }];

const edge = (over: Content, more: Content = {}): Content => ({
  caches: CACHES,
  edge: { ...EDGE, ...over },
  ...more,
});

describe("the edge of the settings", () => {
  it("is none where none is declared", () => {
    assert.equal(settingsOf({}).edge, undefined);
  });

  it("mirrors every quarter of an hour, counts what is read and pulls nothing through unless told", () => {
    assert.deepEqual(settingsOf(edge({})).edge, {
      ...EDGE,
      countReads: true,
      pullThrough: false,
      mirror: {
        schedule: "*/15 * * * *",
        concurrency: 8,
        grace: "1d",
        image: NODE_IMAGE,
        resources: { cpu: "100m", memory: "256Mi", memoryLimit: "512Mi" },
      },
    });
  });

  it("may serve private caches where tokens are signed by RS256", () => {
    const { mistakes } = parse(content(edge({ caches: ["private", "main"], default: "private" })));
    assert.equal(mistakes, undefined);
  });

  refusesEach({
    "no account": [edge({ account: undefined }), "edge.account", "nothing", "32 of 0-9 and a-f"],
    "an account in capitals": [
      edge({ account: ACCOUNT.toUpperCase() }),
      "edge.account",
      `"${ACCOUNT.toUpperCase()}"`,
      "32 of 0-9 and a-f",
    ],
    "a zone by its name": [edge({ zone: "example.com" }), "edge.zone", '"example.com"', "32 of 0-9 and a-f"],
    "a host with a scheme": [
      edge({ host: "https://edge.example.com" }),
      "edge.host",
      '"https://edge.example.com"',
      ALLOWED.host,
    ],
    "no cache at all": [edge({ caches: [] }), "edge.caches", "[]", "a list of 1 to 100 names"],
    "a cache that nobody declared": [
      edge({ caches: ["mian"] }),
      "edge.caches[0]",
      '"mian"',
      "the name of a cache of the stack: main, private; was main meant?",
    ],
    "a cache twice": [
      edge({ caches: ["main", "main"] }),
      "edge.caches[1]",
      '"main"',
      "each cache once, and this one stands in edge.caches[0]",
    ],
    "a default that is not mirrored": [
      edge({ default: "private" }),
      "edge.default",
      '"private"',
      "one of edge.caches: main",
    ],
    "the gateway's host": [
      edge({ host: "cache.example.com" }),
      "edge.host",
      '"cache.example.com"',
      "another name than gateway.host",
    ],
    "the store's host": [
      edge({ host: "s3.example.com" }),
      "edge.host",
      '"s3.example.com"',
      "another name than storage.host",
    ],
    "a private cache where tokens are signed by HS256": [
      edge({ caches: ["main", "private"] }, { server: { signingAlgorithm: "HS256" } }),
      "edge.caches[1]",
      '"private"',
      "a public cache, because server.signingAlgorithm is HS256",
    ],
    "a schedule of four fields": [
      edge({ mirror: { schedule: "*/15 * * *" } }),
      "edge.mirror.schedule",
      '"*/15 * * *"',
      "the five fields of cron",
    ],
    "nobody who copies": [
      edge({ mirror: { concurrency: 0 } }),
      "edge.mirror.concurrency",
      "0",
      "a whole number from 1 to 64",
    ],
    "a mirror that asks for more than it may use": [
      edge({ mirror: { resources: { memory: "1Gi" } } }),
      "edge.mirror.resources.memory",
      "1Gi",
      "at most 512Mi",
    ],
  });
});
