import assert from "node:assert/strict";
import { before, describe, it } from "mocha";
import { CLAIM, EVERYTHING } from "../../components/attic/permissions.ts";
import { signToken } from "../../components/attic/token.ts";
import { makeKey } from "../support/attic-server.ts";
import { configPath, creation, HOUR, now } from "./support/contract.ts";
import { forge, signedByPublicKey, signedWith512, unsigned } from "./support/jwt.ts";
import { contract } from "./support/suite.ts";

const ALL = { r: 1, w: 1, d: 1, cc: 1, cr: 1, cq: 1, cd: 1 };

contract("tokens", (attic) => {
  let cache: string;
  before(async () => {
    cache = await attic.cache();
  });

  const ask = async (token: string | null, headers: Readonly<Record<string, string>> = {}) =>
    await attic.call("GET", configPath(cache), { token, headers });
  const holds = async (token: string) => {
    assert.equal((await ask(token)).status, 200);
  };
  const isVoid = async (token: string) => {
    (await ask(token)).isRefused("Unauthorized");
  };
  const claims = (more?: Readonly<Record<string, unknown>>) => attic.claims({ [cache]: ALL }, more);

  it("hold as this project signs them", async () => {
    const { issuer, audience } = attic.server;
    const token = await signToken(attic.key, {
      subject: "contract",
      permissions: { [cache]: ["pull"] },
      expiresAt: now() + HOUR,
      ...(issuer !== undefined && { issuer }),
      ...(audience !== undefined && { audiences: [audience] }),
    });
    await holds(token);
  });

  it("may be the password of basic authentication, whatever the user, as Nix sends them", async () => {
    const token = forge(attic.key, claims());
    for (const user of ["", "user", "bearer"]) {
      const basic = Buffer.from(`${user}:${token}`).toString("base64");
      assert.equal((await ask(null, { authorization: `Basic ${basic}` })).status, 200);
      assert.equal((await ask(null, { authorization: `basic ${basic}` })).status, 200);
    }
    const bare = Buffer.from(token).toString("base64");
    (await ask(null, { authorization: `Basic ${bare}` })).isRefused("Unauthorized");
  });

  it("are named by bearer in any case, with one blank", async () => {
    const token = forge(attic.key, claims());
    for (const scheme of ["Bearer", "bearer", "BEARER"])
      assert.equal((await ask(null, { authorization: `${scheme} ${token}` })).status, 200);
    for (const header of [token, `Token ${token}`, `Bearer: ${token}`, `Bearer  ${token}`])
      (await ask(null, { authorization: header })).isRefused("Unauthorized");
  });

  it("are void once they have ended", async () => {
    await isVoid(forge(attic.key, claims({ exp: now() - HOUR })));
    await isVoid(forge(attic.key, claims({ exp: 0 })));
  });

  it("are void before they begin", async () => {
    await isVoid(forge(attic.key, claims({ nbf: now() + HOUR, exp: now() + 2 * HOUR })));
    await holds(forge(attic.key, claims({ nbf: now() - HOUR })));
  });

  it("are void where they say that they were made in the future", async () => {
    await isVoid(forge(attic.key, claims({ iat: now() + HOUR, exp: now() + 2 * HOUR })));
    await holds(forge(attic.key, claims({ iat: now() - HOUR })));
  });

  it("hold for ever where they name no end", async () => {
    const { exp: _exp, ...endless } = claims();
    await holds(forge(attic.key, endless));
  });

  it("need no subject, but one that is text where there is one", async () => {
    const { sub: _sub, ...nobody } = claims();
    await holds(forge(attic.key, nobody));
    await isVoid(forge(attic.key, claims({ sub: 1 })));
  });

  it("are void with times that are no numbers", async () => {
    for (const name of ["exp", "nbf", "iat"]) {
      await isVoid(forge(attic.key, claims({ [name]: String(now()) })));
      await isVoid(forge(attic.key, claims({ [name]: null })));
    }
  });

  it("are void when another key has signed them", async () => {
    await isVoid(forge(makeKey(attic.key.algorithm), claims()));
  });

  it("are void when what is signed has been changed", async () => {
    const [header, , signature] = forge(attic.key, claims({ exp: now() - HOUR })).split(".");
    const [, payload] = forge(attic.key, claims()).split(".");
    await isVoid(`${header}.${payload}.${signature}`);
  });

  it("are void with no signature, whatever algorithm they name", async () => {
    for (const alg of ["none", "None", "NONE", "", attic.key.algorithm])
      await isVoid(unsigned({ alg, typ: "JWT" }, claims()));
    const [header, payload] = forge(attic.key, claims()).split(".");
    await isVoid(`${header}.${payload}`);
    await isVoid(`${header}.${payload}.`);
  });

  it("are void with another algorithm than the server's", async () => {
    await isVoid(signedWith512(attic.key, claims()));
    const other = attic.key.algorithm === "RS256" ? "HS256" : "RS256";
    await isVoid(forge(makeKey(other), claims()));
    await isVoid(forge(attic.key, claims(), { alg: other }));
    if (attic.key.algorithm === "HS256") return;
    await isVoid(signedByPublicKey(attic.key, claims()));
    await isVoid(forge({ algorithm: "HS256", secret: attic.key.secret }, claims()));
  });

  it("are void where they say that they are something else than a JWT", async () => {
    await holds(forge(attic.key, claims(), { typ: "jwt" }));
    await holds(forge(attic.key, claims(), { typ: "at+jwt" }));
    await holds(forge(attic.key, claims(), { typ: undefined }));
    await isVoid(forge(attic.key, claims(), { typ: "JWE" }));
  });

  it("are void with claims of another form than Attic's", async () => {
    const bad: unknown[] = [
      undefined,
      {},
      { caches: [] },
      { caches: { [cache]: { r: 2 } } },
      { caches: { [cache]: { r: true } } },
      { caches: { [cache]: { r: "1" } } },
      { caches: { [cache]: { r: 1 }, "bad name": { r: 1 } } },
      { caches: { [cache]: { r: 1 }, ["x".repeat(51)]: { r: 1 } } },
      { caches: { [cache]: { r: 1 }, "a?": { r: 1 } } },
    ];
    for (const value of bad) await isVoid(forge(attic.key, { ...claims(), [CLAIM]: value }));
    await holds(forge(attic.key, attic.claims({ [cache]: { r: 1, w: 0, new: 5 } })));
  });

  it("with rubbish in their place are as good as none", async () => {
    for (const rubbish of ["", "x", "a.b.c", "...", "null", "x".repeat(4000)]) await isVoid(rubbish);
  });

  it("that are void do not close a public cache", async () => {
    const open = await attic.cache({ is_public: true });
    const token = forge(makeKey(attic.key.algorithm), claims());
    assert.equal((await attic.call("GET", configPath(open), { token })).status, 200);
  });

  it("have to come from the issuer that the server is bound to", async function () {
    const { issuer } = attic.server;
    if (issuer === undefined) this.skip();
    for (const iss of [undefined, "", `${issuer}/`, "https://somebody.example.com"])
      await isVoid(forge(attic.key, claims({ iss })));
    await holds(forge(attic.key, claims({ iss: issuer })));
  });

  it("have to be for an audience that the server is bound to, among others or alone", async function () {
    const { audience } = attic.server;
    if (audience === undefined) this.skip();
    for (const aud of [undefined, "", "other", ["other", "more"], []])
      await isVoid(forge(attic.key, claims({ aud })));
    for (const aud of [audience, [audience], ["other", audience]])
      await holds(forge(attic.key, claims({ aud })));
  });

  it("may name any issuer and audience where the server is bound to none", async function () {
    const { issuer, audience } = attic.server;
    if (issuer !== undefined || audience !== undefined) this.skip();
    await holds(forge(attic.key, claims({ iss: "anybody", aud: ["anywhere"] })));
  });

  describe("with several entries", () => {
    const grants = async (caches: unknown, name: string) => {
      const { status } = await attic.call("GET", configPath(name), {
        token: forge(attic.key, attic.claims(caches)),
      });
      return { 200: "pull", 401: "nothing", 403: "something else" }[status] ?? `${status}`;
    };

    it("take the one of that very name, though a pattern before it grants more", async () => {
      assert.equal(await grants({ "*": ALL, [cache]: { w: 1 } }, cache), "something else");
      assert.equal(await grants({ [`${cache}*`]: { w: 1 }, [cache]: { r: 1 } }, cache), "pull");
    });

    it("take the one of that very name, though it grants nothing", async () => {
      assert.equal(await grants({ "*": ALL, [cache]: {} }, cache), "nothing");
      assert.equal(await grants({ "*": ALL, [cache]: { r: 0 } }, cache), "nothing");
    });

    it("take the first pattern that stands for the name, and never two together", async () => {
      const prefix = cache.slice(0, -1);
      assert.equal(await grants({ [`${prefix}*`]: { w: 1 }, "*": ALL }, cache), "something else");
      assert.equal(await grants({ "*": ALL, [`${prefix}*`]: { w: 1 } }, cache), "pull");
      assert.equal(await grants({ [`${prefix}*`]: {}, "*": ALL }, cache), "nothing");
      assert.equal(await grants({ "no-such-*": { w: 1 }, "*": ALL }, cache), "pull");
    });

    it("let * stand for any text, also none, anywhere and more than once", async () => {
      const [head, tail] = [cache.slice(0, 5), cache.slice(5)];
      for (const pattern of ["*", `${head}*`, `*${tail}`, `${head}*${tail}`, `${cache}*`, `*${cache}`, "**"])
        assert.equal(await grants({ [pattern]: { r: 1 } }, cache), "pull", pattern);
      for (const pattern of [`${tail}*`, `*${head}`, `${cache}-*`, `*${cache}x`, cache.toUpperCase()])
        assert.equal(await grants({ [pattern]: { r: 1 } }, cache), "nothing", pattern);
    });

    it("let no other sign of a pattern stand for anything but itself", async () => {
      const plus = await attic.cache({}, attic.name("+x"));
      assert.equal(await grants({ [`${plus.slice(0, -2)}+x*`]: { r: 1 } }, plus), "pull");
      assert.equal(await grants({ [`${plus.slice(0, -3)}+x*`]: { r: 1 } }, plus), "nothing");
    });
  });

  it("grant the creation of what a pattern stands for, and of nothing else", async () => {
    const name = attic.name();
    const token = attic.token({ [`${name}*`]: ["createCache"] });
    const create = async (wanted: string) =>
      await attic.call("POST", configPath(wanted), { json: creation(), token });
    (await create(name)).isDone();
    (await create(attic.name())).isRefused("Unauthorized");
    (await create(name)).isRefused("CacheAlreadyExists");
    assert.deepEqual(EVERYTHING.length, 7);
  });
});
