import assert from "node:assert/strict";
import { before, it } from "mocha";
import { basic, FILE, HASH, NAR, SECRET, tokenFor } from "./support/edge.ts";
import { suite } from "./support/suite.ts";

suite("ranges and conditions", (edge) => {
  // Of the private cache nothing is kept in Cloudflare's cache, so here the bucket answers; and there, the cache.
  const sources = [
    {
      from: "the bucket",
      path: `/team/nar/${FILE}`,
      bytes: SECRET,
      headers: basic(tokenFor({ team: { r: 1 } })),
    },
    { from: "Cloudflare's cache", path: `/main/nar/${FILE}`, bytes: NAR, headers: {} },
  ];
  let etag = "";
  let modified = "";

  for (const { from, path, bytes, headers: own } of sources) {
    const size = bytes.length;
    const ask = async (headers: Readonly<Record<string, string>>, method = "GET") => {
      const answer = await edge().fetch(path, { method, headers: { ...own, ...headers } });
      return { status: answer.status, headers: answer.headers, text: await answer.text() };
    };
    const statuses = async (name: string, cases: Readonly<Record<string, number>>, more = {}) => {
      for (const [value, status] of Object.entries(cases))
        assert.equal((await ask({ [name]: value, ...more })).status, status, `${name}: ${value}`);
    };

    before(async () => {
      for (let round = 0; round < 2; round++) await ask({});
      await edge().settle();
    });

    const fresh = async () => {
      const { headers } = await ask({}, "HEAD");
      [etag, modified] = [headers.get("etag") ?? "", headers.get("last-modified") ?? ""];
    };

    it(`gives a part of a NAR from ${from}`, async () => {
      for (const [range, first, last] of [
        ["bytes=2-4", 2, 4],
        ["bytes=0-0", 0, 0],
        ["bytes=3-", 3, size - 1],
        ["bytes=-3", size - 3, size - 1],
        ["bytes=-99999999999999999999999", 0, size - 1],
        ["bytes=0-99999999999999999999999", 0, size - 1],
        [`bytes=${size - 1}-${size}`, size - 1, size - 1],
        ["BYTES=1-1", 1, 1],
      ] as const) {
        const { status, headers, text } = await ask({ range });
        assert.deepEqual([status, text], [206, bytes.slice(first, last + 1)], range);
        assert.equal(headers.get("content-range"), `bytes ${first}-${last}/${size}`);
        assert.equal(headers.get("content-length"), String(last - first + 1));
      }
    });

    it(`says how long a NAR from ${from} is to who asks for what lies behind it`, async () => {
      for (const range of [
        `bytes=${size}-`,
        "bytes=-0",
        "bytes=9999999999999999999999-",
        `bytes=${size}-${size + 5}`,
      ]) {
        const { status, headers } = await ask({ range });
        assert.deepEqual([status, headers.get("content-range")], [416, `bytes */${size}`], range);
      }
    });

    it(`gives the whole NAR from ${from} for several ranges, and for what is none`, async () => {
      for (const range of [
        "bytes=0-1,3-4",
        "bytes=4-2",
        "bytes=",
        "bytes=-",
        "bytes=a-b",
        "items=0-1",
        "0-1",
        "bytes 0-1",
      ]) {
        const { status, headers, text } = await ask({ range });
        assert.deepEqual([status, text, headers.get("content-range")], [200, bytes, null], range);
      }
    });

    it(`answers HEAD of a NAR from ${from} as if there were no range`, async () => {
      for (const range of ["bytes=2-4", "bytes=99-"]) {
        const { status, headers } = await ask({ range }, "HEAD");
        assert.deepEqual([status, headers.get("content-length")], [200, String(size)]);
      }
    });

    it(`does not send again what the client has, from ${from}`, async () => {
      await fresh();
      await statuses("if-none-match", {
        ...{ [etag]: 304, [`W/${etag}`]: 304, "*": 304, [`"a", ${etag}`]: 304 },
        ...{ '"a"': 200, '"a", W/"b"': 200, nonsense: 200 },
      });
      await statuses("if-modified-since", {
        ...{ [modified]: 304, [new Date(Date.now() + 1e9).toUTCString()]: 304 },
        ...{ [new Date(0).toUTCString()]: 200, yesterday: 200 },
      });
      const { headers, text } = await ask({ "if-none-match": etag });
      assert.deepEqual([headers.get("etag"), text], [etag, ""]);
      assert.match(headers.get("cache-control") ?? "", /max-age=31536000, immutable$/);
      assert.equal((await ask({ "if-none-match": etag }, "HEAD")).status, 304);
    });

    it(`gives what the client names, and nothing in its place, from ${from}`, async () => {
      await fresh();
      await statuses("if-match", {
        ...{ [etag]: 200, "*": 200, [`"a",${etag}`]: 200 },
        ...{ '"a"': 412, [`W/${etag}`]: 412, nonsense: 412 },
      });
      await statuses("if-unmodified-since", {
        ...{ [modified]: 200, yesterday: 200, [new Date(0).toUTCString()]: 412 },
      });
    });

    it(`goes on with a download from ${from} only where it is the same`, async () => {
      await fresh();
      await statuses(
        "if-range",
        {
          ...{ [etag]: 206, [modified]: 206 },
          ...{ '"a"': 200, [`W/${etag}`]: 200, [new Date(0).toUTCString()]: 200, nonsense: 200 },
        },
        { range: "bytes=5-" },
      );
      assert.equal((await ask({ "if-range": etag })).status, 200);
    });

    it(`asks the conditions one after the other as RFC 9110 says, from ${from}`, async () => {
      await fresh();
      const old = new Date(0).toUTCString();
      for (const [headers, status] of [
        [{ "if-match": etag, "if-unmodified-since": old }, 200],
        [{ "if-none-match": '"a"', "if-modified-since": modified }, 200],
        [{ "if-match": '"a"', "if-none-match": etag, range: "bytes=99-" }, 412],
        [{ "if-none-match": etag, range: "bytes=99-" }, 304],
        [{ "if-match": etag, range: "bytes=99-" }, 416],
        [{ "if-match": etag, "if-none-match": '"a"', "if-range": etag, range: "bytes=1-2" }, 206],
      ] as const)
        assert.equal((await ask(headers as Record<string, string>)).status, status, JSON.stringify(headers));
    });
  }

  it("does the same for a narinfo", async () => {
    const path = `/main/${HASH}.narinfo`;
    const tag = (await edge().fetch(path)).headers.get("etag") ?? "";
    assert.equal((await edge().fetch(path, { headers: { "if-none-match": tag } })).status, 304);
    assert.equal((await edge().fetch(path, { headers: { range: "bytes=0-8" } })).status, 206);
  });
});
