import assert from "node:assert/strict";
import { parseSettings } from "../../../components/settings/parse.ts";
import {
  BUCKET,
  content,
  type Content,
  DATABASE_URL,
  parse,
  raw,
  STORE_SECRETS,
} from "../../support/stack-files.ts";

const EXISTING = { database: { kind: "existing" } };
const URL_FORM =
  "postgres://user:password@host:port/database, with what is special in the password percent-encoded, and with any sslmode but verify-ca, which Attic's driver crashes on";

describe("a secret", () => {
  it("is accepted where it is encrypted and called for", () => {
    assert.equal(parse(content({ ...EXISTING, databaseUrl: DATABASE_URL })).mistakes, undefined);
    assert.equal(parse(content({ storage: BUCKET, ...STORE_SECRETS })).mistakes, undefined);
  });

  it("is never part of the settings", () => {
    const { settings } = parse(
      content({ ...EXISTING, databaseUrl: DATABASE_URL, storage: BUCKET, ...STORE_SECRETS }),
    );
    assert.deepEqual(Object.keys(settings ?? {}), [
      "namespace",
      "protectData",
      "gateway",
      "server",
      "database",
      "storage",
      "caches",
      "tokens",
      "connection",
    ]);
  });

  it("is refused where it stands in plain, and then a new one is asked for", () => {
    const { mistakes } = parseSettings(raw(content({ ...EXISTING, databaseUrl: DATABASE_URL })));
    assert.deepEqual(mistakes, [
      {
        key: "databaseUrl",
        found: "a plain value",
        allowed:
          "an encrypted one: pulumi config set --secret databaseUrl, and make a new one where this one was committed",
      },
    ]);
  });

  it("is refused where it is missing", () => {
    assert.deepEqual(parse(content({ ...EXISTING })).mistakes, [
      {
        key: "databaseUrl",
        found: "nothing",
        allowed: "a secret, because database.kind is existing: pulumi config set --secret databaseUrl",
      },
    ]);
    assert.deepEqual(
      parse(content({ storage: BUCKET })).mistakes?.map(({ key, found }) => [key, found]),
      [
        ["storageAccessKeyId", "nothing"],
        ["storageSecretAccessKey", "nothing"],
      ],
    );
  });

  it("is refused where nothing would use it", () => {
    assert.deepEqual(parse(content({ databaseUrl: DATABASE_URL })).mistakes, [
      {
        key: "databaseUrl",
        found: "a secret",
        allowed: "nothing, because database.kind is postgres and would not use it",
      },
    ]);
    assert.deepEqual(
      parse(content(STORE_SECRETS)).mistakes?.map(({ key, allowed }) => [key, allowed]),
      [
        ["storageAccessKeyId", "nothing, because storage.kind is garage and would not use it"],
        ["storageSecretAccessKey", "nothing, because storage.kind is garage and would not use it"],
      ],
    );
  });

  it("is neither missing nor superfluous where the section that decides could not be read", () => {
    const { mistakes } = parse(content({ database: { kind: "existin" }, databaseUrl: DATABASE_URL }));
    assert.deepEqual(
      mistakes?.map(({ key }) => key),
      ["database.kind"],
    );
  });

  for (const section of [
    "gateway",
    "server",
    "database",
    "storage",
    "caches",
    "tokens",
    "connection",
    "provision",
    "namespace",
  ]) {
    it(`is refused inside of ${section}, which is then not read`, () => {
      const file = content({
        server: { replicas: "many" },
        database: { kind: "postgres" },
        namespace: "attic",
      });
      const { mistakes } = parseSettings(
        raw({ ...file, server: section === "server" ? { replicas: "x" } : {} }, [section]),
      );
      assert.deepEqual(mistakes, [
        {
          key: section,
          found: "a secret inside",
          allowed:
            "plain values only; secrets have keys of their own: databaseUrl, storageAccessKeyId, storageSecretAccessKey, cacheKeypairs",
        },
      ]);
    });
  }

  it("is refused under an unknown name", () => {
    const { mistakes } = parseSettings(raw(content({ signingKey: "c2VjcmV0" }), ["signingKey"]));
    assert.deepEqual(
      mistakes?.map(({ key, found }) => [key, found]),
      [["signingKey", "a key that is not known"]],
    );
  });
});

describe("the form of a secret", () => {
  const forms = (key: string, value: string): Content =>
    key === "databaseUrl"
      ? content({ ...EXISTING, databaseUrl: value })
      : content({ storage: BUCKET, ...STORE_SECRETS, [key]: value });

  const right: [string, string][] = [
    ["databaseUrl", "postgres://attic:pw@db/attic"],
    ["databaseUrl", "postgresql://attic@db.example.com:5433/attic?sslmode=require"],
    ["databaseUrl", "postgres://attic:p%40ss%2Fword@[2001:db8::1]:5432/attic"],
    ["storageAccessKeyId", "GK31c2f218a2e44f485b94239e"],
    ["storageSecretAccessKey", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"],
  ];
  for (const [key, value] of right) {
    it(`is right: ${key} ${value}`, () => {
      assert.equal(parse(forms(key, value)).mistakes, undefined);
    });
  }

  const wrong: [string, string, string][] = [
    ["databaseUrl", "", URL_FORM],
    ["databaseUrl", "mysql://attic:pw@db/attic", URL_FORM],
    ["databaseUrl", "sqlite:///attic.db", URL_FORM],
    ["databaseUrl", "postgres://db/attic", URL_FORM],
    ["databaseUrl", "postgres://attic:pw@db", URL_FORM],
    ["databaseUrl", "postgres://attic:p@ss@db/attic", URL_FORM],
    ["databaseUrl", "postgres://attic:pw@db:99999/attic", URL_FORM],
    ["databaseUrl", "postgres://attic:pw@one:5432,two:5432/attic", URL_FORM],
    ["databaseUrl", "postgres://attic:pw@db/attic\n", URL_FORM],
    ["databaseUrl", "postgres://attic:pw@db/attic?sslmode=verify-ca", URL_FORM],
    ["storageAccessKeyId", "", "a text without spaces"],
    ["storageAccessKeyId", "two words", "a text without spaces"],
    ["storageSecretAccessKey", "key\n", "a text without spaces"],
    ["storageSecretAccessKey", "k".repeat(257), "a text without spaces"],
  ];
  for (const [key, value, allowed] of wrong) {
    it(`is wrong, and the value is not shown: ${key} ${JSON.stringify(value.slice(0, 60))}`, () => {
      assert.deepEqual(parse(forms(key, value)).mistakes, [
        { key, found: "a secret of another form", allowed },
      ]);
    });
  }
});
