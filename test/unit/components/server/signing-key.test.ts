import assert from "node:assert/strict";
import { dataOf, find } from "../../../support/objects.ts";
import { stackOf } from "../../../support/kinds.ts";
import { valueOf } from "../../../support/mocks.ts";

const HS256 = { server: { signingAlgorithm: "HS256" } };

describe("the key that signs tokens", () => {
  it("is RSA of 4096 bits for RS256", async () => {
    const { resources } = await stackOf({});
    assert.deepEqual(find(resources, "PrivateKey", "attic-signing-key-rsa").inputs, {
      algorithm: "RSA",
      rsaBits: 4096,
    });
  });

  it("is 64 bytes at random for HS256", async () => {
    const { result, resources } = await stackOf({}, HS256);
    const { inputs } = find(resources, "RandomPassword", "attic-signing-key-hmac");
    assert.deepEqual(inputs, {
      length: 128,
      lower: false,
      upper: false,
      numeric: false,
      overrideSpecial: "0123456789abcdef",
    });
    const { value, secret } = await valueOf(result.signingKey);
    assert.equal(secret, true);
    assert.equal(Buffer.from(value, "base64").length, 64);
  });

  it("is given to Attic in base64 under the variable of its algorithm, and under no other", async () => {
    for (const [over, variable] of [
      [{}, "ATTIC_SERVER_TOKEN_RS256_SECRET_BASE64"],
      [HS256, "ATTIC_SERVER_TOKEN_HS256_SECRET_BASE64"],
    ] as const) {
      const { result, resources } = await stackOf({}, over);
      const environment = dataOf(resources, "Secret", "attic-environment");
      assert.deepEqual(
        Object.keys(environment).filter((name) => name.startsWith("ATTIC_SERVER_TOKEN_")),
        [variable],
      );
      assert.equal(environment[variable], (await valueOf(result.signingKey)).value);
    }
  });

  it("is for RS256 the PEM of PKCS#1 that Attic reads", async () => {
    const { resources } = await stackOf({});
    const encoded = dataOf(resources, "Secret", "attic-environment").ATTIC_SERVER_TOKEN_RS256_SECRET_BASE64!;
    assert.match(Buffer.from(encoded, "base64").toString(), /^-----BEGIN RSA PRIVATE KEY-----\n/);
    assert.match(encoded, /^[A-Za-z0-9+/]+=*$/);
  });

  it("has a public half for RS256 alone, which is no secret", async () => {
    const rs256 = (await stackOf({})).result;
    const { value, secret } = await valueOf(rs256.tokenPublicKey!);
    assert.match(value, /^-----BEGIN PUBLIC KEY-----\n/);
    assert.equal(secret, false);
    const hs256 = (await stackOf({}, HS256)).result;
    assert.equal(hs256.tokenPublicKey, undefined);
    assert.equal(hs256.tokenAlgorithm, "HS256");
  });
});
