import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { it } from "mocha";
import { CLAIM } from "../../../components/attic/permissions.ts";
import { forge, signedByPublicKey, signedWith512, unsigned } from "../../contract/support/jwt.ts";
import { makeKey } from "../../support/attic-server.ts";
import { basic, bearer, claims, CONFIG, HASH, KEY, now, PUBLIC_KEY, tokenFor } from "./support/edge.ts";
import { suite } from "./support/suite.ts";

const ALL = { r: 1, w: 1, d: 1, cc: 1, cr: 1, cq: 1, cd: 1 };
const PATH = `/team/${HASH}.narinfo`;

suite("tokens", (edge) => {
  const statusOf = async (headers: Record<string, string>, path = PATH) =>
    (await edge().fetch(path, { headers })).status;
  const holds = async (token: string, why?: string) => {
    assert.equal(await statusOf(bearer(token)), 200, why);
  };
  const isVoid = async (token: string, why?: string) => {
    assert.equal(await statusOf(bearer(token)), 401, why);
  };
  const good = (more?: Readonly<Record<string, unknown>>) => claims({ team: ALL }, more);

  it("open a private cache as bearer, in any case, with one blank", async () => {
    const token = tokenFor({ team: { r: 1 } });
    for (const scheme of ["Bearer", "bearer", "BEARER"])
      assert.equal(await statusOf({ authorization: `${scheme} ${token}` }), 200, scheme);
    for (const authorization of [token, `Token ${token}`, `Bearer: ${token}`, `Bearer  ${token}`])
      assert.equal(await statusOf({ authorization }), 401);
  });

  it("open it as the password from netrc, whatever the user", async () => {
    const token = tokenFor({ team: { r: 1 } });
    for (const user of ["", "user", "ü"]) assert.equal(await statusOf(basic(token, user)), 200, user);
    assert.equal(await statusOf({ authorization: `Basic ${Buffer.from(token).toString("base64")}` }), 401);
    assert.equal(await statusOf({ authorization: `Basic ${token}` }), 401);
    assert.equal(await statusOf({ authorization: "Basic !" }), 401);
  });

  it("are void with alg none, however it is written, and with no signature", async () => {
    for (const alg of ["none", "None", "NONE", "nOnE", "", "RS256"])
      await isVoid(unsigned({ alg, typ: "JWT" }, good()), alg);
    const [header, payload] = forge(KEY, good()).split(".");
    await isVoid(`${header}.${payload}`);
  });

  it("are void when HS256 has signed them with the public key, in any of its forms", async () => {
    await isVoid(signedByPublicKey(KEY, good()));
    const [header, payload] = [{ alg: "HS256", typ: "JWT" }, good()].map((part) =>
      Buffer.from(JSON.stringify(part)).toString("base64url"),
    );
    const der = PUBLIC_KEY.replace(/-----[^-]+-----|\s/g, "");
    for (const key of [PUBLIC_KEY, PUBLIC_KEY.trim(), der, Buffer.from(der, "base64")]) {
      const signature = createHmac("sha256", key).update(`${header}.${payload}`).digest("base64url");
      await isVoid(`${header}.${payload}.${signature}`);
    }
  });

  it("are void with another algorithm, though the right key has signed them", async () => {
    await isVoid(signedWith512(KEY, good()));
    for (const alg of ["RS512", "PS256", "ES256", "HS256", "rs256", "RS256 ", ["RS256"], null])
      await isVoid(forge(KEY, good(), { alg }), JSON.stringify(alg));
  });

  it("are void when another key has signed them with RS256", async () => {
    await isVoid(forge(makeKey("RS256"), good()));
  });

  it("bring no key: what their header says of keys is not looked at", async () => {
    const other = makeKey("RS256");
    const more = {
      kid: "../../dev/null",
      jku: "https://evil.example.com/keys",
      x5u: "https://evil.example.com/",
    };
    await holds(forge(KEY, good(), { ...more, jwk: { kty: "RSA", n: "AQAB", e: "AQAB" } }));
    await isVoid(forge(other, good(), { ...more, jwk: { kty: "RSA", n: "AQAB", e: "AQAB" }, x5c: ["AA=="] }));
  });

  it("are void where their header calls anything critical", async () => {
    for (const crit of [["b64"], ["exp"], ["x"], [], "x", null])
      await isVoid(forge(KEY, good(), { crit, b64: false, x: 1 }), JSON.stringify(crit));
  });

  it("are void where they say that they are something else than a JWT", async () => {
    for (const typ of ["JWT", "jwt", "at+jwt", undefined]) await holds(forge(KEY, good(), { typ }), typ);
    for (const typ of ["JWE", "", 1, null]) await isVoid(forge(KEY, good(), { typ }), String(typ));
  });

  it("are void for another cache", async () => {
    for (const name of ["main", "team-2", "Team", "tea", "teams", "unknown"])
      await isVoid(tokenFor({ [name]: ALL }), name);
  });

  it("are void with a pattern that does not stand for the cache", async () => {
    for (const pattern of ["x*", "*x", "team-*", "*team-", "t*x", "TEAM*"])
      await isVoid(tokenFor({ [pattern]: ALL }), pattern);
    for (const pattern of ["*", "team*", "*team", "t*m", "**", "*e*"])
      await holds(tokenFor({ [pattern]: { r: 1 } }), pattern);
  });

  it("are void with a pattern or a flag that Attic refuses, anywhere in them", async () => {
    for (const caches of [
      ...[
        { "bad name": { r: 1 } },
        { ["x".repeat(51)]: { r: 1 } },
        { "te?m": { r: 1 } },
        { "": {} },
        { "-x": {} },
      ],
      ...[
        { other: { r: 2 } },
        { other: { r: true } },
        { other: { r: "1" } },
        { other: { cd: null } },
        { other: 1 },
      ],
      ...[{ other: [] }, { other: null }, { __proto__x: { r: 1 } }],
    ])
      await isVoid(tokenFor({ team: { r: 1 }, ...caches }), JSON.stringify(caches));
    await holds(tokenFor({ team: { r: 1, w: 0, new: 5 } }));
  });

  it("take the entry of that very name before any pattern, though it grants less", async () => {
    await isVoid(tokenFor({ "*": ALL, team: { w: 1 } }));
    await isVoid(tokenFor({ "*": ALL, team: {} }));
    await isVoid(tokenFor({ "*": ALL, team: { r: 0 } }));
    await holds(tokenFor({ "*": { w: 1 }, team: { r: 1 } }));
  });

  it("take the first pattern that stands for the name, and never two together", async () => {
    await isVoid(tokenFor({ "te*": { w: 1 }, "*": ALL }));
    await holds(tokenFor({ "*": ALL, "te*": { w: 1 } }));
    await holds(tokenFor({ "x*": {}, "*": ALL }));
  });

  it("are void without pull, whatever else they grant", async () => {
    await isVoid(tokenFor({ team: { ...ALL, r: 0 } }));
    await isVoid(tokenFor({ team: {} }));
  });

  it("are void once they have ended", async () => {
    for (const exp of [now() - 1, 0, -1, now() - 3600]) await isVoid(forge(KEY, good({ exp })), String(exp));
  });

  it("are void with no end, though Attic takes them: who loses one would lose it for ever", async () => {
    const { exp: _, ...endless } = good();
    await isVoid(forge(KEY, endless));
  });

  it("are void before they begin, and where they were made in the future", async () => {
    for (const name of ["nbf", "iat"]) {
      await isVoid(forge(KEY, good({ [name]: now() + 60 })), name);
      await holds(forge(KEY, good({ [name]: now() - 60 })), name);
    }
  });

  it("are void with times that are no numbers", async () => {
    for (const name of ["exp", "nbf", "iat"])
      for (const value of [String(now() + 60), null, true, [now() + 60], {}, 1e300])
        await isVoid(forge(KEY, good({ [name]: value })), `${name} ${JSON.stringify(value)}`);
  });

  it("are void with claims missing, or of another form than Attic's", async () => {
    for (const value of [undefined, null, {}, [], "x", { caches: [] }, { caches: null }, { caches: "team" }])
      await isVoid(forge(KEY, { ...good(), [CLAIM]: value }), JSON.stringify(value));
    await isVoid(forge(KEY, good({ sub: 1 })));
    await isVoid(forge(KEY, good({ aud: 1 })));
    const { sub: _, ...nobody } = good();
    await holds(forge(KEY, nobody));
  });

  it("are void when what is signed has been changed", async () => {
    const [header, , signature] = tokenFor({ main: ALL }).split(".");
    const [, payload] = tokenFor({ team: ALL }).split(".");
    await isVoid(`${header}.${payload}.${signature}`);
  });

  it("may be long, and are void when they are giant", async () => {
    const many = (count: number) =>
      Object.fromEntries(Array.from({ length: count }, (_, index) => [`cache-${index}`, { r: 1 }]));
    await holds(tokenFor({ ...many(400), team: { r: 1 } }));
    await isVoid(tokenFor({ ...many(800), team: { r: 1 } }));
    // As long as Cloudflare lets headers be.
    for (const giant of [
      basic("x".repeat(90_000)),
      bearer("x".repeat(120_000)),
      basic("", "x".repeat(90_000)),
    ])
      assert.equal(await statusOf(giant), 401);
  });

  it("with rubbish in their place are as good as none", async () => {
    const token = tokenFor({ team: ALL });
    for (const rubbish of [
      ...[
        "",
        ".",
        "..",
        "...",
        "a.b.c",
        "null",
        "x".repeat(15_000),
        "a".repeat(40_000),
        ".....................",
      ],
      ...[
        `${token}.`,
        `${token}.x`,
        `.${token}`,
        `${token}=`,
        token.slice(0, -5),
        token.replaceAll(".", ".."),
      ],
      ...["bnVsbA.bnVsbA.bnVsbA", "W10.W10.W10", "e30.e30.", "e30.e30.e30", "/w.//.//", "_w._w._w"],
    ])
      await isVoid(rubbish, rubbish.slice(0, 40));
  });

  it("that are void do not close a public cache", async () => {
    for (const headers of [bearer("x"), basic("x"), bearer(forge(makeKey("RS256"), good()))])
      assert.equal(await statusOf(headers, `/main/${HASH}.narinfo`), 200);
  });
});

suite(
  "tokens that are bound",
  (edge) => {
    const holds = async (more: Readonly<Record<string, unknown>>) =>
      (await edge().fetch(PATH, { headers: bearer(tokenFor({ team: { r: 1 } }, more)) })).status === 200;

    it("have to come from the issuer, and be for the audience, alone or among others", async () => {
      for (const aud of ["us", ["us"], ["them", "us"], "them too", ["them too"]])
        assert.ok(await holds({ iss: "me", aud }));
    });

    it("are void from anybody else, and for anybody else", async () => {
      for (const iss of [undefined, "", "Me", "me/", ["me"], null])
        assert.ok(!(await holds({ iss, aud: "us" })));
      for (const aud of [undefined, "", "them", ["them"], [], null, { us: 1 }])
        assert.ok(!(await holds({ iss: "me", aud })), JSON.stringify(aud));
    });
  },
  {
    config: {
      ...CONFIG,
      token: { algorithm: "RS256", publicKey: PUBLIC_KEY, issuer: "me", audiences: ["us", "them too"] },
    },
  },
);
