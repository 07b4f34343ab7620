import assert from "node:assert/strict";
import { it } from "mocha";
import { makeKey } from "../../support/attic-server.ts";
import { forge } from "../../contract/support/jwt.ts";
import {
  basic,
  bearer,
  claims,
  CONFIG,
  FILE,
  HASH,
  NO_FILE,
  NO_HASH,
  SECRET,
  tokenFor,
} from "./support/edge.ts";
import { suite } from "./support/suite.ts";

const LAST = ["nix-cache-info", `${HASH}.narinfo`, `${NO_HASH}.narinfo`, `nar/${FILE}`, `nar/${NO_FILE}`];

suite("private caches", (edge) => {
  const get = async (path: string, headers: Record<string, string> = {}, method = "GET") => {
    const answer = await edge().fetch(path, { headers, method });
    // What the way to workerd adds has nothing to do with what is hidden.
    const own = [...answer.headers].filter(([name]) => !/encoding$|^content-length$/.test(name));
    const headersOf: Record<string, string | undefined> = Object.fromEntries(own);
    return { status: answer.status, headers: headersOf, text: await answer.text() };
  };

  it("are served to who may pull, and kept by nobody in between", async () => {
    const token = basic(tokenFor({ team: { r: 1 } }));
    for (const [last, age] of [
      ["nix-cache-info", "max-age=60"],
      [`${HASH}.narinfo`, "max-age=60"],
      [`nar/${FILE}`, "max-age=31536000, immutable"],
    ] as const) {
      const { status, headers } = await get(`/team/${last}`, token);
      assert.deepEqual([status, headers["cache-control"]], [200, `private, ${age}`], last);
    }
    assert.equal((await get(`/team/nar/${FILE}`, token)).text, SECRET);
    const missing = await get(`/team/${NO_HASH}.narinfo`, token);
    assert.deepEqual([missing.status, missing.headers["cache-control"]], [404, "private, max-age=10"]);
  });

  it("answer the same to all others, for what they hold, what they do not, and where there is no such cache", async () => {
    const expected = await get(`/unknown/${NO_HASH}.narinfo`);
    assert.equal(expected.status, 401);
    assert.equal(expected.headers["www-authenticate"], 'Basic realm="Nix binary cache", charset="UTF-8"');
    assert.equal(expected.headers["cache-control"], "no-store");
    for (const headers of [{}, basic("wrong"), bearer(tokenFor({ main: { r: 1 }, "team-2": { w: 1 } }))])
      for (const cache of ["team", "team-2", "unknown"])
        for (const last of LAST)
          assert.deepEqual(await get(`/${cache}/${last}`, headers), expected, `${cache} ${last}`);
    for (const last of LAST) assert.equal((await get(`/team/${last}`, {}, "HEAD")).status, 401);
  });

  it("give nothing away by conditions and ranges", async () => {
    const expected = await get("/unknown/nix-cache-info");
    for (const headers of [
      { "if-none-match": "*" },
      { "if-match": '"x"' },
      { range: "bytes=0-0" },
      { range: "bytes=99-" },
    ])
      assert.deepEqual(await get(`/team/nar/${FILE}`, headers), expected);
  });

  it("are told from unknown ones by who may pull from both", async () => {
    const token = bearer(tokenFor({ "*": { r: 1 } }));
    for (const last of LAST) assert.equal((await get(`/unknown/${last}`, token)).status, 404, last);
    assert.equal((await get(`/team-2/nar/${FILE}`, token)).text, SECRET);
  });

  it("ask nothing of the bucket for who may not pull", async () => {
    edge().takeAsked();
    for (const last of LAST)
      await get(`/team/${last}`, bearer(forge(makeKey("RS256"), claims({ team: { r: 1 } }))));
    assert.deepEqual(edge().takeAsked(), []);
  });

  it("never come into Cloudflare's cache, nor out of it", async () => {
    const token = basic(tokenFor({ team: { r: 1 } }));
    edge().takeAsked();
    for (let round = 0; round < 3; round++) {
      assert.equal((await get(`/team/nar/${FILE}`, token)).text, SECRET);
      await edge().settle();
    }
    assert.deepEqual(edge().takeAsked(), ["get", "get", "get"]);
    assert.equal((await get(`/team/nar/${FILE}`)).status, 401);
  });
});

suite(
  "a private cache at the host's root",
  (edge) => {
    it("needs its token there as well", async () => {
      const headers = basic(tokenFor({ team: { r: 1 } }));
      for (const path of ["/nix-cache-info", `/${HASH}.narinfo`, `/nar/${FILE}`]) {
        assert.equal((await edge().fetch(path)).status, 401, path);
        assert.equal((await edge().fetch(path, { headers })).status, 200, path);
      }
    });
  },
  { config: { ...CONFIG, default: "team" } },
);

suite(
  "private caches of a server that signs with HS256",
  (edge) => {
    it("are refused with the reason, and so is what is unknown", async () => {
      const texts = new Set<string>();
      for (const cache of ["team", "unknown"])
        for (const last of LAST)
          for (const headers of [
            {},
            bearer(tokenFor({ "*": { r: 1 } })),
            basic(forge(makeKey("HS256"), claims({ "*": { r: 1 } }))),
          ]) {
            const answer = await edge().fetch(`/${cache}/${last}`, { headers });
            assert.deepEqual([answer.status, answer.headers.get("www-authenticate")], [403, null]);
            texts.add(await answer.text());
          }
      assert.deepEqual(
        [...texts],
        [
          "This edge serves public caches only: the server signs its tokens with HS256, and who can check those can " +
            "also make them. Use the server itself, or let it sign with RS256.\n",
        ],
      );
    });

    it("do not stand in the way of the public ones", async () => {
      assert.equal((await edge().fetch(`/main/${HASH}.narinfo`, { headers: basic("x") })).status, 200);
    });
  },
  { config: { ...CONFIG, token: { algorithm: "HS256" } } },
);

const { default: _, ...WITHOUT_DEFAULT } = CONFIG;

suite(
  "no default cache",
  (edge) => {
    it("leaves nothing at the host's root but the page and the status", async () => {
      for (const path of ["/nix-cache-info", `/${HASH}.narinfo`, `/nar/${FILE}`])
        assert.equal((await edge().fetch(path)).status, 404, path);
      assert.equal((await edge().fetch("/")).status, 200);
      assert.equal((await edge().fetch(`/main/${HASH}.narinfo`)).status, 200);
    });
  },
  { config: WITHOUT_DEFAULT },
);
