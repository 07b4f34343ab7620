import assert from "node:assert/strict";
import { it } from "mocha";
import { FILE, HASH, NAR, narinfoText, NO_FILE, NO_HASH } from "./support/edge.ts";
import { suite } from "./support/suite.ts";

suite("serving a public cache", (edge) => {
  const get = async (path: string, method = "GET") => {
    const answer = await edge().fetch(path, { method });
    return { status: answer.status, headers: answer.headers, text: await answer.text() };
  };

  it("says what kind of cache it is", async () => {
    const { status, headers, text } = await get("/main/nix-cache-info");
    assert.deepEqual([status, text], [200, "StoreDir: /nix/store\nWantMassQuery: 1\nPriority: 41\n"]);
    assert.equal(headers.get("content-type"), "text/x-nix-cache-info");
    assert.equal(headers.get("cache-control"), "public, max-age=60");
  });

  it("gives a narinfo as the mirror wrote it, to keep for a minute", async () => {
    const { status, headers, text } = await get(`/main/${HASH}.narinfo`);
    assert.deepEqual([status, text], [200, narinfoText()]);
    assert.equal(headers.get("content-type"), "text/x-nix-narinfo");
    assert.equal(headers.get("cache-control"), "public, max-age=60");
    assert.equal(headers.get("content-length"), String(text.length));
  });

  it("gives a NAR as the mirror wrote it, to keep for ever", async () => {
    const { status, headers, text } = await get(`/main/nar/${FILE}`);
    assert.deepEqual([status, text], [200, NAR]);
    assert.equal(headers.get("content-type"), "application/x-nix-nar");
    assert.equal(headers.get("cache-control"), "public, max-age=31536000, immutable");
    assert.equal(headers.get("content-length"), "10");
    assert.equal(headers.get("accept-ranges"), "bytes");
    assert.match(headers.get("etag") ?? "", /^"[0-9a-f]{32}"$/);
    assert.ok(Date.parse(headers.get("last-modified") ?? "") <= Date.now());
  });

  it("serves the default cache at the host's root as well", async () => {
    for (const path of ["/nix-cache-info", `/${HASH}.narinfo`, `/nar/${FILE}`]) {
      const [root, own] = [await get(path), await get(`/main${path}`)];
      assert.deepEqual([root.status, root.text], [200, own.text], path);
    }
  });

  it("tells a cache with the name nar from the folder of that name", async () => {
    assert.equal((await get(`/nar/${HASH}.narinfo`)).status, 200);
    assert.equal((await get(`/nar/nar/${FILE}`)).text, NAR);
    assert.equal((await get(`/nar/${FILE}`)).text, NAR);
  });

  it("takes names in percent-encoding for what they stand for", async () => {
    assert.equal((await get(`/%6Dain/${HASH}.narinfo`)).status, 200);
    assert.equal((await get(`/main%2F${HASH}.narinfo`)).status, 404);
  });

  it("does not care for what stands behind a question mark", async () => {
    assert.equal((await get(`/main/nar/${FILE}?x=1`)).text, NAR);
  });

  it("answers HEAD as GET, with no body", async () => {
    for (const path of ["/", "/status", "/nix-cache-info", `/${HASH}.narinfo`, `/nar/${FILE}`, "/nothing"]) {
      const [head, whole] = [await get(path, "HEAD"), await get(path)];
      assert.deepEqual([head.status, head.text], [whole.status, ""], path);
      for (const name of ["content-type", "cache-control", "etag", "last-modified"])
        assert.equal(head.headers.get(name), whole.headers.get(name), `${path} ${name}`);
    }
    assert.equal((await get(`/nar/${FILE}`, "HEAD")).headers.get("content-length"), "10");
    assert.equal((await get("/nix-cache-info", "HEAD")).headers.get("content-length"), "51");
  });

  for (const path of [
    ...[`/main/${NO_HASH}.narinfo`, `/main/nar/${NO_FILE}`, `/${NO_HASH}.narinfo`, `/nar/${NO_FILE}`],
    ...["/main", "/main/", "/favicon.ico", "/main/x.narinfo", `/main/${HASH}`, `/main/${HASH}.ls`],
    ...[`/main/${HASH.replace("0", "e")}.narinfo`, `/main/${HASH}.narinfo/`, `/main/${HASH}.narinfo%00`],
    ...[`/main/nar/${FILE}.gz`, `/main/nar/${FILE.toUpperCase()}`, `/main/nar/x/${FILE}`, "/main/nar/"],
    ...[
      "/_edge/status.json",
      "/main/_edge/status.json",
      "/_edge/nix-cache-info",
      "/%E0%A4%A",
      "//",
      "/status/",
    ],
  ])
    it(`does not have ${path}, which holds for ten seconds`, async () => {
      const { status, headers, text } = await get(path);
      assert.deepEqual([status, text], [404, "The edge does not have this.\n"]);
      assert.equal(headers.get("cache-control"), "public, max-age=10");
    });

  for (const method of ["POST", "PUT", "DELETE", "PATCH", "OPTIONS", "PROPFIND"])
    it(`refuses ${method}, whatever the path, and says what it takes`, async () => {
      for (const path of ["/", "/main/nix-cache-info", `/team/nar/${FILE}`, "/nothing"]) {
        const { status, headers } = await edge().raw(path, {}, method);
        assert.deepEqual([status, headers.allow], [405, "GET, HEAD"], path);
      }
    });

  it("lets no browser guess what the bytes of a store path are", async () => {
    for (const path of ["/", "/nothing", "/status", "/nix-cache-info", `/${HASH}.narinfo`, `/nar/${FILE}`])
      assert.equal((await get(path)).headers.get("x-content-type-options"), "nosniff", path);
  });

  it("reads the bucket once for what Nix asks", async () => {
    edge().takeAsked();
    await get(`/main/${HASH}.narinfo`);
    await get(`/main/${NO_HASH}.narinfo`);
    await get("/nix-cache-info");
    await get("/nothing");
    assert.deepEqual(edge().takeAsked(), ["get", "get"]);
  });
});
