import assert from "node:assert/strict";
import { createPrivateKey, createPublicKey, generateKeyPairSync } from "node:crypto";
import { it } from "mocha";
import { configPath, creation } from "./support/contract.ts";
import { contract } from "./support/suite.ts";

/** A keypair as `nix key generate-secret` writes it, and its public half. */
function nixKeypair(name: string): { secret: string; publicKey: string } {
  const { privateKey } = generateKeyPairSync("ed25519");
  const { d = "", x = "" } = privateKey.export({ format: "jwk" });
  const publicKey = Buffer.from(x, "base64url").toString("base64");
  const both = Buffer.concat([Buffer.from(d, "base64url"), Buffer.from(x, "base64url")]);
  assert.ok(createPublicKey(createPrivateKey(privateKey.export({ type: "pkcs8", format: "pem" }))));
  return { secret: `${name}:${both.toString("base64")}`, publicKey: `${name}:${publicKey}` };
}

contract("creating a cache", (attic) => {
  it("makes what was asked for, and says so by nothing", async () => {
    const name = attic.name();
    const fields = {
      is_public: true,
      store_dir: "/elsewhere",
      priority: 7,
      upstream_cache_key_names: ["a-1"],
    };
    const answer = await attic.call("POST", configPath(name), { json: creation(fields) });
    answer.isDone();
    const { public_key, api_endpoint, substituter_endpoint, ...rest } = await attic.config(name);
    assert.deepEqual(rest, { ...fields, retention_period: "Global" });
    assert.match(public_key, new RegExp(`^${name}:[A-Za-z0-9+/]{43}=$`));
    assert.match(api_endpoint, /^https?:\/\/.+\/$/);
    assert.match(substituter_endpoint, new RegExp(`^https?://.+/${name}$`));
  });

  it("refuses a name that is taken, and changes nothing of what has it", async () => {
    const name = await attic.cache({ priority: 1 });
    const before = (await attic.call("GET", configPath(name))).text;
    const again = await attic.call("POST", configPath(name), { json: creation({ priority: 2 }) });
    again.isRefused("CacheAlreadyExists");
    assert.equal((await attic.call("GET", configPath(name))).text, before);
  });

  it("makes one cache where two ask for it at once", async () => {
    const name = attic.name();
    const ask = () => attic.call("POST", configPath(name), { json: creation() });
    const answers = await Promise.all(Array.from({ length: 8 }, ask));
    assert.deepEqual(answers.map(({ status }) => status).sort(), [200, 400, 400, 400, 400, 400, 400, 400]);
  });

  it("gives every cache a key of its own", async () => {
    const keys = await Promise.all(
      [await attic.cache(), await attic.cache()].map(async (name) => {
        const { public_key: key } = await attic.config(name);
        return key.split(":")[1];
      }),
    );
    assert.notEqual(keys[0], keys[1]);
  });

  it("takes a keypair as Nix writes it, with the name that stands in it", async () => {
    const { secret, publicKey } = nixKeypair("cache.example.com-1");
    const name = await attic.cache({ keypair: { Keypair: secret } });
    const config = await attic.config(name);
    assert.equal(config.public_key, publicKey);
    assert.equal(JSON.stringify(config).includes(secret.split(":")[1]!.slice(0, 40)), false);
  });

  const BAD_KEYPAIRS = {
    "no name": nixKeypair("").secret,
    "no colon": "abc",
    "nothing after the colon": "abc:",
    "a public key": nixKeypair("abc").publicKey,
    "a line break at its end": `${nixKeypair("abc").secret}\n`,
    "something that is not base64": `abc:${"*".repeat(88)}`,
    "a second colon": `abc:${nixKeypair("def").secret}`,
  };
  for (const [what, keypair] of Object.entries(BAD_KEYPAIRS)) {
    it(`refuses a keypair with ${what}, and does not show it`, async () => {
      const json = creation({ keypair: { Keypair: keypair } });
      const answer = await attic.call("POST", configPath(attic.name()), { json });
      answer.isMalformed(422, /^Failed to deserialize the JSON body into the target type: keypair/);
      const payload = keypair.split(":").at(-1)!.trim();
      if (payload.length > 3) assert.equal(answer.text.includes(payload), false);
    });
  }

  for (const name of ["a", "0", "A-b_c+D9", "x".repeat(50)]) {
    it(`lets a cache be called ${name.length > 20 ? `${name.length} letters` : name}, as far as its name goes`, async () => {
      // A cache of that very name might be somebody's: who may not create it is refused for that alone.
      const token = attic.tokenFor(name, "pull");
      const answer = await attic.call("POST", configPath(name), { json: creation(), token });
      answer.isRefused("AccessError");
    });
  }

  const BAD_NAMES = ["_a", "-a", "+a", "a.b", "a%20b", "a%2Fb", "a*", "*", "%C3%A4", "a%0A", "x".repeat(51)];
  for (const name of BAD_NAMES) {
    it(`refuses the name ${name.length > 20 ? `of ${name.length} letters` : name}, whoever asks`, async () => {
      for (const token of [undefined, null]) {
        const options = { json: creation(), ...(token === null && { token }) };
        const answer = await attic.call("POST", configPath(name), options);
        answer.isMalformed(400, /^Invalid URL: Invalid cache name "/);
      }
    });
  }

  it("refuses a name that is not UTF-8", async () => {
    const answer = await attic.call("POST", configPath("%FF"), { json: creation() });
    answer.isMalformed(400, /^Invalid URL: Invalid UTF-8 in `cache`$/);
  });

  for (const field of Object.keys(creation())) {
    it(`needs ${field}`, async () => {
      // The real server's JSON library trips over a keypair of null before it looks at its type.
      for (const value of field === "keypair" ? [undefined] : [undefined, null]) {
        const json = creation({ [field]: value });
        const answer = await attic.call("POST", configPath(attic.name()), { json });
        answer.isMalformed(422, new RegExp(`^Failed to deserialize the JSON body .*${field}`));
      }
    });
  }

  const WRONG = {
    is_public: 1,
    store_dir: 1,
    priority: "41",
    upstream_cache_key_names: "a",
    keypair: "generate",
  };
  for (const [field, value] of Object.entries(WRONG)) {
    it(`refuses ${field} of ${JSON.stringify(value)}`, async () => {
      const json = creation({ [field]: value });
      const answer = await attic.call("POST", configPath(attic.name()), { json });
      answer.isMalformed(422, new RegExp(`^Failed to deserialize the JSON body .*${field}`));
    });
  }

  it("takes a priority of 32 bits with a sign, and no larger one", async () => {
    for (const priority of [-(2 ** 31), 0, 2 ** 31 - 1]) {
      const name = await attic.cache({ priority });
      const config = await attic.config(name);
      assert.equal(config.priority, priority);
    }
    for (const priority of [-(2 ** 31) - 1, 2 ** 31, 1.5]) {
      const answer = await attic.call("POST", configPath(attic.name()), { json: creation({ priority }) });
      answer.isMalformed(422, /priority/);
    }
  });

  it("takes no notice of fields that it does not know, nor of a retention period", async () => {
    const name = await attic.cache({ retention_period: { Period: 60 }, colour: "blue" });
    const config = await attic.config(name);
    assert.equal(config.retention_period, "Global");
    assert.equal("colour" in config, false);
  });

  it("needs JSON that says that it is JSON", async () => {
    const path = configPath(attic.name());
    const body = JSON.stringify(creation());
    for (const type of ["text/plain", "application/octet-stream"]) {
      const answer = await attic.call("POST", path, { body, headers: { "content-type": type } });
      answer.isMalformed(415, /^Expected request with `Content-Type: application\/json`$/);
    }
    const json = { "content-type": "application/json" };
    for (const broken of ["", "{", `${body}x`, "nonsense"]) {
      const answer = await attic.call("POST", path, { body: broken, headers: json });
      answer.isMalformed(400, /^Failed to parse the request body as JSON/);
    }
    const charset = { "content-type": "application/json; charset=utf-8" };
    (await attic.call("POST", path, { body, headers: charset })).isDone();
  });
});
