import assert from "node:assert/strict";
import { createHmac, createPublicKey, generateKeyPairSync, randomBytes, verify } from "node:crypto";
import { describe, it } from "mocha";
import fc from "fast-check";
import { isCacheName, isCachePattern, matchesPattern } from "../../../components/attic/names.ts";
import {
  CLAIM,
  EVERYTHING,
  grantedFor,
  type Permissions,
  toClaim,
} from "../../../components/attic/permissions.ts";
import { fromRetentionConfig, toRetentionConfig } from "../../../components/attic/retention.ts";
import { signToken, type TokenKey, type TokenRequest } from "../../../components/attic/token.ts";

const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
const RSA: TokenKey = {
  algorithm: "RS256",
  secret: Buffer.from(privateKey.export({ type: "pkcs1", format: "pem" })).toString("base64"),
};
const HMAC: TokenKey = { algorithm: "HS256", secret: randomBytes(64).toString("base64") };
const REQUEST: TokenRequest = {
  subject: "ci",
  permissions: { main: ["pull", "push"] },
  expiresAt: 4_102_324_986,
};

function decode(token: string): { header: unknown; claims: unknown; signed: Buffer; signature: Buffer } {
  const [header = "", claims = "", signature = ""] = token.split(".");
  const json = (part: string) => JSON.parse(Buffer.from(part, "base64url").toString()) as unknown;
  return {
    header: json(header),
    claims: json(claims),
    signed: Buffer.from(`${header}.${claims}`),
    signature: Buffer.from(signature, "base64url"),
  };
}

describe("signToken", () => {
  it("signs RS256 so that the public key verifies it", async () => {
    const { header, claims, signed, signature } = decode(await signToken(RSA, REQUEST));
    assert.deepEqual(header, { alg: "RS256", typ: "JWT" });
    assert.deepEqual(claims, {
      [CLAIM]: { caches: { main: { r: 1, w: 1 } } },
      sub: "ci",
      exp: 4_102_324_986,
    });
    assert.equal(verify("sha256", signed, createPublicKey(privateKey), signature), true);
    assert.equal(verify("sha256", Buffer.from("other"), createPublicKey(privateKey), signature), false);
  });

  it("signs HS256 with the bytes of the key", async () => {
    const { header, signed, signature } = decode(await signToken(HMAC, REQUEST));
    assert.deepEqual(header, { alg: "HS256", typ: "JWT" });
    const expected = createHmac("sha256", Buffer.from(HMAC.secret, "base64")).update(signed).digest();
    assert.deepEqual(signature, expected);
  });

  it("adds nbf, iss and aud only where they are given", async () => {
    const request = { ...REQUEST, notBefore: 1000, issuer: "attic", audiences: ["a", "b"] };
    const { claims } = decode(await signToken(HMAC, request));
    assert.deepEqual(claims, {
      [CLAIM]: { caches: { main: { r: 1, w: 1 } } },
      sub: "ci",
      exp: 4_102_324_986,
      nbf: 1000,
      iss: "attic",
      aud: ["a", "b"],
    });
  });

  it("keeps the order of the patterns, which decides between them", async () => {
    const permissions: Permissions = { "team-*": ["pull"], "*": ["push"], main: ["delete"] };
    const { claims } = decode(await signToken(HMAC, { ...REQUEST, permissions }));
    const { caches } = (claims as Record<string, { caches: object }>)[CLAIM]!;
    assert.deepEqual(Object.keys(caches), ["team-*", "*", "main"]);
  });

  const refused: [what: string, change: Partial<TokenRequest>, message: RegExp][] = [
    ["an empty subject", { subject: "" }, /it has no subject/],
    ["no cache", { permissions: {} }, /it grants nothing on any cache/],
    ["no permission", { permissions: { main: [] } }, /it grants nothing on main/],
    ["a bad pattern", { permissions: { "-x": ["pull"] } }, /"-x" is not a cache name or pattern/],
    [
      "a pattern that is too long",
      { permissions: { ["a".repeat(51)]: ["pull"] } },
      /is not a cache name or pattern/,
    ],
    [
      "an unknown permission",
      { permissions: { main: ["fly" as "pull"] } },
      /"fly" is not a permission \(pull, push, delete, createCache, configureCache, configureRetention, destroyCache\)/,
    ],
    [
      "a name of Object's own",
      { permissions: { main: ["constructor" as "pull"] } },
      /"constructor" is not a permission/,
    ],
    ["no end", { expiresAt: Number.NaN }, /it has no end/],
    ["an end before its beginning", { notBefore: 5_000_000_000 }, /it would end before it begins/],
  ];
  for (const [what, change, message] of refused) {
    it(`refuses ${what} before it signs`, async () => {
      // A key that cannot sign: the request is looked at first.
      const key: TokenKey = { algorithm: "RS256", secret: "" };
      await assert.rejects(signToken(key, { ...REQUEST, ...change }), message);
    });
  }

  it("refuses a key that is none, and does not quote it", async () => {
    const secret = Buffer.from("-----BEGIN RSA PRIVATE KEY-----\nhunter2\n").toString("base64");
    await assert.rejects(signToken({ algorithm: "RS256", secret }, REQUEST), (error: Error) => {
      assert.equal(error.message, "The signing key is not the base64 of an RSA private key in PEM form.");
      return true;
    });
    await assert.rejects(
      signToken({ algorithm: "HS256", secret: "aHVudGVyMg==" }, REQUEST),
      (error: Error) => {
        assert.equal(error.message, "The signing key has 7 bytes, and HS256 needs 32 or more.");
        return true;
      },
    );
  });
});

describe("cache names and patterns", () => {
  for (const name of ["main", "Another_Valid-Name", "plan9", "user+cache", "9", "a".repeat(50)]) {
    it(`takes the name ${name}`, () => {
      assert.equal(isCacheName(name), true);
    });
  }
  for (const name of ["", "-a", "_a", "+a", "a b", "a*", "a/b", "é", "a\n", "a".repeat(51), "__proto__ "]) {
    it(`refuses the name ${JSON.stringify(name)}`, () => {
      assert.equal(isCacheName(name), false);
    });
  }
  it("lets a pattern begin with a star", () => {
    assert.deepEqual(["*", "*-ci", "team-*", "-*", "?"].map(isCachePattern), [
      true,
      true,
      true,
      false,
      false,
    ]);
  });
  it("matches a star with any text, also none", () => {
    const cases: [string, string, boolean][] = [
      ["team-*", "team-", true],
      ["team-*", "team-a", true],
      ["team-*", "abc-team", false],
      ["*", "x", true],
      ["a*c", "abc", true],
      ["a*c", "abd", false],
      ["u+*", "u+x", true],
      ["u+*", "uux", false],
    ];
    for (const [pattern, name, expected] of cases)
      assert.equal(matchesPattern(pattern, name), expected, `${pattern} ${name}`);
  });
});

describe("grantedFor", () => {
  const claim = toClaim({ "team-*": ["pull"], "*": ["push"], "team-a": ["delete"] });
  it("takes the entry of that very name before any pattern", () => {
    assert.deepEqual([...grantedFor(claim, "team-a")], ["delete"]);
  });
  it("takes the first pattern that stands for it, and no other", () => {
    assert.deepEqual([...grantedFor(claim, "team-b")], ["pull"]);
    assert.deepEqual([...grantedFor(claim, "x")], ["push"]);
  });
  it("grants nothing where nothing stands for it", () => {
    assert.deepEqual([...grantedFor(toClaim({ main: EVERYTHING }), "other")], []);
    assert.deepEqual([...grantedFor({ caches: {} }, "constructor")], []);
  });
});

describe("toRetentionConfig", () => {
  it("gives Attic's form", () => {
    assert.equal(toRetentionConfig("default"), "Global");
    assert.deepEqual(["never", "7d", "2w", "1y"].map(toRetentionConfig), [
      { Period: 0 },
      { Period: 604_800 },
      { Period: 1_209_600 },
      { Period: 31_536_000 },
    ]);
  });
  for (const text of ["", "0d", "7", "7 d", "7M", "-1d", "1.5y", "69y", "Never"]) {
    it(`refuses ${JSON.stringify(text)}`, () => {
      assert.throws(() => toRetentionConfig(text), /is not a retention: default, never, or a whole number/);
    });
  }
  it("is undone by the words for what the server says", () => {
    const period = fc.integer({ min: 0, max: 2 ** 31 - 1 }).map((Period) => ({ Period }));
    fc.assert(
      fc.property(fc.oneof(fc.constant("Global" as const), period), (config) => {
        assert.deepEqual(toRetentionConfig(fromRetentionConfig(config)), config);
      }),
    );
    assert.deepEqual(
      [7_776_000, 5400, 31_536_000, 61].map((Period) => fromRetentionConfig({ Period })),
      ["90d", "90m", "365d", "61s"],
    );
  });
  it("never gives more than the column holds", () => {
    fc.assert(
      fc.property(fc.nat(999_999), fc.constantFrom("d", "w", "y"), (amount, unit) => {
        try {
          const config = toRetentionConfig(`${amount}${unit}`);
          assert.ok(typeof config === "object" && config.Period > 0 && config.Period < 2 ** 31);
        } catch (error) {
          assert.ok(error instanceof RangeError);
        }
      }),
    );
  });
});
