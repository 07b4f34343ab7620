import assert from "node:assert/strict";
import { createPublicKey, generateKeyPairSync } from "node:crypto";
import { jwtVerify } from "jose";
import { describe, it } from "mocha";
import { asText, type Properties, Secret, Unknown } from "../../../provider/protocol/values.ts";
import { TestProvider } from "../../support/provider.ts";

const TYPE = "attic:index:AccessToken";
const DAY = 86_400;
const CI = {
  subject: "ci",
  permissions: [
    { cache: "main", allow: ["pull", "push"] },
    { cache: "ci-*", allow: ["pull"] },
  ],
  validity: "90d",
};
const NOW = () => Math.floor(Date.now() / 1000);

async function open(config = {}): Promise<TestProvider> {
  return await TestProvider.open(TYPE, { endpoint: "http://127.0.0.1:1/", ...config });
}

function valueOf(outputs: Properties): string {
  assert.ok(outputs.value instanceof Secret, "the token is no secret");
  return outputs.value.value as string;
}

describe("the resource AccessToken", () => {
  it("is signed with HS256, and says just what is declared", async () => {
    const provider = await open();
    const before = NOW();
    const { id, outputs } = await provider.create(CI);
    const { payload, protectedHeader } = await jwtVerify(
      valueOf(outputs),
      Buffer.from(provider.signingKey, "base64"),
    );
    const { exp = 0, ...claims } = payload;
    assert.deepEqual(protectedHeader, { alg: "HS256", typ: "JWT" });
    assert.deepEqual(claims, {
      sub: "ci",
      "https://jwt.attic.rs/v1": { caches: { main: { r: 1, w: 1 }, "ci-*": { r: 1 } } },
    });
    assert.ok(exp >= before + 90 * DAY && exp <= NOW() + 90 * DAY);
    assert.equal(outputs.expiresAt, new Date(exp * 1000).toISOString());
    assert.equal(id, "main");
  });

  it("is signed with RS256, which the public key verifies", async () => {
    const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
    const pem = privateKey.export({ type: "pkcs1", format: "pem" });
    const provider = await open({ algorithm: "RS256", signingKey: Buffer.from(pem).toString("base64") });
    const { outputs } = await provider.create(CI);
    const { protectedHeader } = await jwtVerify(valueOf(outputs), createPublicKey(privateKey));
    assert.equal(protectedHeader.alg, "RS256");
  });

  it("has issuer, audiences and beginning where they are set, and counts its validity from there", async () => {
    const provider = await open();
    const notBefore = new Date((NOW() + 10 * DAY) * 1000).toISOString();
    const { outputs } = await provider.create({ ...CI, issuer: "lab", audiences: ["attic"], notBefore });
    const [, body = ""] = valueOf(outputs).split(".");
    const claims = JSON.parse(Buffer.from(body, "base64url").toString()) as Record<string, unknown>;
    const begin = Math.floor(Date.parse(notBefore) / 1000);
    assert.deepEqual(
      [claims.iss, claims.aud, claims.nbf, claims.exp],
      ["lab", ["attic"], begin, begin + 90 * DAY],
    );
  });

  it("is not signed in a preview", async () => {
    const provider = await open();
    const { outputs } = await provider.create(CI, { preview: true });
    assert.ok(outputs.value instanceof Secret && outputs.value.value instanceof Unknown);
    assert.ok(outputs.expiresAt instanceof Unknown);
  });

  it("keeps nothing of the signing key in clear", async () => {
    const provider = await open();
    const { outputs } = await provider.create(CI);
    const { value, ...plain } = outputs;
    assert.deepEqual(Object.keys(plain), ["expiresAt", "keyId"]);
    assert.match(asText(plain.keyId), /^[0-9a-f]{16}$/);
  });

  describe("is made anew", () => {
    const of = async (news: Properties, left: number, config = {}, oldInputs: Properties = CI) => {
      const made = (await (await open()).create(CI)).outputs;
      const olds = { ...made, expiresAt: new Date((NOW() + left) * 1000).toISOString() };
      const { changes, detailed, replaces } = await (await open(config)).diff({ olds, oldInputs, news });
      assert.equal(changes, (detailed?.size ?? 0) > 0);
      assert.deepEqual(replaces, []);
      return [...(detailed?.keys() ?? [])];
    };
    it("not while more than a third of its validity is left", async () => {
      assert.deepEqual(await of(CI, 30 * DAY + 60), []);
    });
    it("once less than a third is left", async () => {
      assert.deepEqual(await of(CI, 30 * DAY - 60), ["expiresAt"]);
    });
    it("once it has ended", async () => {
      assert.deepEqual(await of(CI, -60), ["expiresAt"]);
    });
    it("once less is left than renewBefore says, and not for a change of that alone", async () => {
      assert.deepEqual(await of({ ...CI, renewBefore: "7d" }, 7 * DAY + 60), []);
      assert.deepEqual(await of({ ...CI, renewBefore: "7d" }, 7 * DAY - 60), ["expiresAt"]);
    });
    it("where the signing key is another", async () => {
      const signingKey = Buffer.alloc(64, 9).toString("base64");
      assert.deepEqual(await of(CI, 80 * DAY, { signingKey }), ["keyId"]);
    });
    it("where it says something else", async () => {
      assert.deepEqual(await of({ ...CI, subject: "other" }, 80 * DAY), ["subject"]);
      assert.deepEqual(await of({ ...CI, permissions: CI.permissions.toReversed() }, 80 * DAY), [
        "permissions",
      ]);
      assert.deepEqual(await of({ ...CI, issuer: "lab" }, 80 * DAY), ["issuer"]);
    });
    it("and the new one holds as long as a fresh one", async () => {
      const provider = await open();
      const outputs = await provider.update("main", {}, CI);
      assert.ok(Date.parse(asText(outputs.expiresAt)) / 1000 >= NOW() + 90 * DAY - 60);
      assert.notEqual(valueOf(outputs), "");
    });
  });

  it("may be valid for little more than ten minutes", async () => {
    assert.deepEqual((await (await open()).check({ ...CI, validity: "11m" })).failures, []);
  });

  describe("is refused before anything is signed", () => {
    const wrong: [string, Properties, string, RegExp][] = [
      ["with no subject", { ...CI, subject: "" }, "subject", /expected a text/],
      ["with no permissions", { ...CI, permissions: [] }, "permissions", /at least one cache/],
      [
        "with a cache that it grants nothing on",
        { ...CI, permissions: [{ cache: "main", allow: [] }] },
        "permissions",
        /0\.allow: expected at least one permission/,
      ],
      [
        "with a bad pattern",
        { ...CI, permissions: [{ cache: "ma in", allow: ["pull"] }] },
        "permissions",
        /0\.cache: expected a cache name or pattern/,
      ],
      [
        "with an unknown permission",
        { ...CI, permissions: [{ cache: "main", allow: ["read"] }] },
        "permissions",
        /expected one of pull, push, delete/,
      ],
      [
        "with a cache twice",
        { ...CI, permissions: [CI.permissions[0]!, CI.permissions[0]!] },
        "permissions",
        /each cache or pattern once/,
      ],
      [
        "with a validity of ten minutes",
        { ...CI, validity: "10m" },
        "validity",
        /expected more than 10m: with clocks/,
      ],
      [
        "with a bad pattern that is a secret, which is not named to the engine",
        { ...CI, permissions: [{ cache: new Secret("ma in"), allow: ["pull"] }] },
        "",
        /^permissions: 0\.cache: expected a cache name or pattern: 1 to 50 of .* may come first$/,
      ],
      ["with a validity that is none", { ...CI, validity: "soon" }, "validity", /such as 90d/],
      [
        "with a beginning that is no time",
        { ...CI, notBefore: "tomorrow" },
        "notBefore",
        /2027-01-31T00:00:00Z/,
      ],
    ];
    for (const [what, inputs, property, reason] of wrong) {
      it(what, async () => {
        const { failures = [] } = await (await open()).check(inputs);
        assert.deepEqual(
          failures.map((failure) => failure.property),
          [property],
        );
        assert.match(failures[0]?.reason ?? "", reason);
      });
    }
  });

  it("cannot be imported, and says why", async () => {
    const provider = await open();
    await assert.rejects(provider.read("ci", {}, {}), /A token cannot be imported: the server keeps none/);
  });

  it("asks no server, ever", async () => {
    // Nobody listens on that port: any call would fail.
    const provider = await open();
    const { id, outputs } = await provider.create(CI);
    await provider.read(id, CI, outputs);
    await provider.update(id, outputs, CI);
    await provider.delete(id, outputs);
  });
});
