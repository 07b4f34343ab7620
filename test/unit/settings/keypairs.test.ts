import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import fc from "fast-check";
import { describeMistakes, parseSettings } from "../../../components/settings/parse.ts";
import { readKeypairs } from "../../../components/settings/keypairs.ts";
import { content, type Content, raw } from "../../support/stack-files.ts";

const FORM =
  'JSON with a key for each cache, as `nix key generate-secret` writes it: {"main": "main-1:base64 of 64 bytes"}';

function halves(): { seed: Buffer; publicHalf: Buffer } {
  const { privateKey, publicKey } = generateKeyPairSync("ed25519");
  return {
    seed: privateKey.export({ format: "der", type: "pkcs8" }).subarray(-32),
    publicHalf: publicKey.export({ format: "der", type: "spki" }).subarray(-32),
  };
}
const { seed, publicHalf } = halves();
const base64 = (...parts: Buffer[]) => Buffer.concat(parts).toString("base64");
const PAYLOAD = base64(seed, publicHalf);

const CACHES = [{ name: "main" }, { name: "private" }];
const mistakesOf = (secret: string, over: Content = {}) =>
  parseSettings(raw(content({ caches: CACHES, cacheKeypairs: secret, ...over }), ["cacheKeypairs"])).mistakes;
const mistakesOfKey = (keypair: unknown) => mistakesOf(JSON.stringify({ main: keypair }));

describe("the signing keys of caches", () => {
  it("are accepted as Nix writes them, whatever their names", () => {
    for (const name of ["main-1", "main", "cache.example.com-1", "schlüssel"])
      assert.equal(mistakesOfKey(`${name}:${PAYLOAD}`), undefined, name);
    assert.equal(mistakesOf("{}"), undefined);
    assert.equal(mistakesOf(JSON.stringify({ private: `a:${PAYLOAD}`, main: `a:${PAYLOAD}` })), undefined);
  });

  it("are read by the names of their caches", () => {
    assert.deepEqual(readKeypairs(JSON.stringify({ main: `m-1:${PAYLOAD}` })), [["main", `m-1:${PAYLOAD}`]]);
  });

  const wrongTexts: [text: string, found: string][] = [
    ["", "a secret that is not JSON"],
    [`main-1:${PAYLOAD}`, "a secret that is not JSON"],
    [`{"main": "main-1:${PAYLOAD}"`, "a secret that is not JSON"],
    ["[]", "a secret that is no JSON object"],
    ["null", "a secret that is no JSON object"],
    [`"main-1:${PAYLOAD}"`, "a secret that is no JSON object"],
  ];
  for (const [text, found] of wrongTexts) {
    it(`are refused where ${found.slice("a secret that is ".length)} stands there: ${text.slice(0, 20)}`, () => {
      assert.deepEqual(mistakesOf(text), [{ key: "cacheKeypairs", found, allowed: FORM }]);
    });
  }

  const ENTRY = "a secret that is wrong in its entry 1 of 1:";
  const wrongKeys: Record<string, [keypair: unknown, fault: string]> = {
    "a number": [7, "it is not a name, a colon and base64"],
    nothing: [null, "it is not a name, a colon and base64"],
    "a key without its name": [PAYLOAD, "it is not a name, a colon and base64"],
    "an empty name": [`:${PAYLOAD}`, "it is not a name, a colon and base64"],
    "no payload": ["main-1:", "it is not a name, a colon and base64"],
    "a line break at its end": [`main-1:${PAYLOAD}\n`, "it is not a name, a colon and base64"],
    "base64 for addresses": [`main-1:${"_".repeat(86)}==`, "it is not a name, a colon and base64"],
    "base64 without its padding": [
      `main-1:${PAYLOAD.replaceAll("=", "")}`,
      "it is not a name, a colon and base64",
    ],
    "a public key": [`main-1:${base64(publicHalf)}`, "it has 32 bytes, as a public key has"],
    "a signature's length and one": [
      `main-1:${base64(seed, publicHalf, Buffer.of(0))}`,
      "it has not 64 bytes",
    ],
    "halves of two keys": [
      `main-1:${base64(seed, halves().publicHalf)}`,
      "its public half is not that of its private half",
    ],
    "halves in the wrong order": [
      `main-1:${base64(publicHalf, seed)}`,
      "its public half is not that of its private half",
    ],
  };
  for (const [what, [keypair, fault]] of Object.entries(wrongKeys)) {
    it(`are refused where one is ${what}`, () => {
      assert.deepEqual(mistakesOfKey(keypair), [
        { key: "cacheKeypairs", found: `${ENTRY} ${fault}`, allowed: FORM },
      ]);
    });
  }

  it("are refused by the number of the first entry that is wrong", () => {
    const secret = JSON.stringify({ main: `a:${PAYLOAD}`, private: "a:AAAA" });
    assert.deepEqual(
      mistakesOf(secret)?.map(({ found }) => found),
      ["a secret that is wrong in its entry 2 of 2: it has not 64 bytes"],
    );
  });

  it("are refused for caches that there are not, and those are not named", () => {
    const secret = JSON.stringify({ mian: `a:${PAYLOAD}`, main: `a:${PAYLOAD}`, other: `a:${PAYLOAD}` });
    assert.deepEqual(mistakesOf(secret), [
      {
        key: "cacheKeypairs",
        found: "a secret whose entry 1 of 3 is for no cache of the settings",
        allowed: "any of main, private",
      },
      {
        key: "cacheKeypairs",
        found: "a secret whose entry 3 of 3 is for no cache of the settings",
        allowed: "any of main, private",
      },
    ]);
  });

  it("are refused where there are no caches at all", () => {
    assert.deepEqual(
      mistakesOf(JSON.stringify({ main: `a:${PAYLOAD}` }), { caches: [] })?.map(({ allowed }) => allowed),
      ["nothing, because there are no caches"],
    );
  });

  it("are not compared with caches that could not be read", () => {
    assert.deepEqual(
      mistakesOf(JSON.stringify({ other: `a:${PAYLOAD}` }), { caches: [{ name: "/" }] })?.map(
        ({ key }) => key,
      ),
      ["caches[0].name"],
    );
  });

  it("are refused in plain", () => {
    const { mistakes } = parseSettings(
      raw(content({ caches: CACHES, cacheKeypairs: JSON.stringify({ main: `a:${PAYLOAD}` }) })),
    );
    assert.deepEqual(
      mistakes?.map(({ key, found }) => [key, found]),
      [["cacheKeypairs", "a plain value"]],
    );
  });

  it("are in no message, whole or in part, however they are broken", () => {
    const text = JSON.stringify({ "main-secret": `main-1:${PAYLOAD}`, private: PAYLOAD });
    fc.assert(
      fc.property(fc.nat(text.length), fc.nat(20), fc.string({ maxLength: 3 }), (at, count, added) => {
        const broken = text.slice(0, at) + added + text.slice(at + count);
        const said = describeMistakes("lab", "attic-stack", mistakesOf(broken) ?? []);
        for (let from = 0; from + 12 <= PAYLOAD.length; from += 6)
          assert.ok(!said.includes(PAYLOAD.slice(from, from + 12)));
        assert.ok(!said.includes("main-secret"));
      }),
    );
  });
});
