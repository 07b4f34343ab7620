import assert from "node:assert/strict";
import { shown } from "../../../components/settings/mistakes.ts";
import { describeMistakes, parseSettings } from "../../../components/settings/parse.ts";
import { content, GARAGE, parse, raw } from "../../support/stack-files.ts";

describe("all mistakes of a file", () => {
  const file = content({
    gateway: { kind: "traefik", host: "Cache", tls: { kind: "secret" }, entrypoint: "web" },
    server: { replicas: 0, chunking: { minSize: "16Ki" } },
    storage: { ...GARAGE, host: undefined },
    databse: {},
    databaseUrl: "postgres://attic:hunter2@db/attic",
  });
  const { mistakes } = parseSettings(raw(file));

  it("are found at once, also those between keys", () => {
    assert.deepEqual(
      mistakes?.map(({ key, found }) => [key, found]),
      [
        ["databse", "a key that is not known"],
        ["databaseUrl", "a plain value"],
        ["gateway.host", '"Cache"'],
        ["gateway.tls.name", "nothing"],
        ["gateway.entrypoint", "a key that is not known"],
        ["server.replicas", "0"],
        ["server.chunking.minSize", '"16Ki"'],
        ["databaseUrl", "a secret"],
        ["storage.host", "nothing"],
      ],
    );
  });

  it("make one text, three lines each, with the count and where to read on", () => {
    const lines = describeMistakes("lab", "attic-stack", mistakes ?? []).split("\n");
    assert.equal(lines.length, 29);
    assert.equal(lines[0], "Pulumi.lab.yaml has 9 mistakes; nothing was changed.");
    assert.deepEqual(lines.slice(1, 4), [
      "  attic-stack:databse",
      "      found:   a key that is not known",
      "      allowed: did you mean database? Known are namespace, protectData, gateway, server, database, storage, caches, tokens, edge, connection, provision, databaseUrl, storageAccessKeyId, storageSecretAccessKey, cacheKeypairs",
    ]);
    assert.equal(lines.at(-1), "docs/settings.md describes every key.");
  });

  it("are not counted where there is one", () => {
    assert.equal(
      describeMistakes("lab", "attic-stack", [{ key: "a", found: "b", allowed: "c" }]),
      "Pulumi.lab.yaml has a mistake; nothing was changed.\n  attic-stack:a\n      found:   b\n      allowed: c\ndocs/settings.md describes every key.",
    );
  });

  it("are none in a file that is right", () => {
    assert.equal(parse(content()).mistakes, undefined);
  });

  it("are two in an empty file, which has to say where to keep things and how to come in", () => {
    assert.deepEqual(
      parse({}).mistakes?.map(({ key, found }) => [key, found]),
      [
        ["gateway", "nothing"],
        ["storage", "nothing"],
      ],
    );
  });
});

describe("a value in a mistake", () => {
  it("is on one line and short", () => {
    assert.equal(shown("a\nb"), '"a\\nb"');
    assert.equal(shown("x".repeat(58)), `"${"x".repeat(58)}"`);
    assert.equal(shown("x".repeat(59)), `"${"x".repeat(56)}...`);
  });

  it("is named where there is none", () => {
    assert.equal(shown(undefined), "nothing");
    assert.equal(shown(null), "null");
  });

  it("has lost the password of an address", () => {
    assert.equal(shown("postgres://attic:hunter2@db/attic"), '"postgres://attic:...@db/attic"');
    assert.equal(shown({ url: "https://:pw:d@s3.lan" }), '{"url":"https://:...@s3.lan"}');
  });
});
