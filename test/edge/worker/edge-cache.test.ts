import assert from "node:assert/strict";
import { it } from "mocha";
import { FILE, NAR, NO_FILE } from "./support/edge.ts";
import { suite } from "./support/suite.ts";

const BROKEN = NO_FILE.replaceAll("2", "3");

suite("Cloudflare's cache", (edge) => {
  const get = async (path: string, headers: Record<string, string> = {}) => {
    const answer = await edge().fetch(path, { headers });
    const text = await answer.text();
    await edge().settle();
    return { status: answer.status, text, hit: answer.headers.get("cf-cache-status") === "HIT" };
  };

  it("is filled by the second whole GET of a NAR, and not by less", async () => {
    for (const headers of [{ range: "bytes=0-2" }, { "if-none-match": "*" }])
      await get(`/main/nar/${FILE}`, headers);
    edge().takeAsked();
    assert.equal((await get(`/main/nar/${FILE}`)).hit, false);
    assert.deepEqual(edge().takeAsked(), ["get"]);
    assert.equal((await get(`/nar/${FILE}`)).hit, false);
    assert.deepEqual(edge().takeAsked(), ["get", "get"]);
  });

  it("then answers whatever is asked, by either path and any query, with nothing read from the bucket", async () => {
    edge().takeAsked();
    assert.deepEqual(await get(`/main/nar/${FILE}`), { status: 200, text: NAR, hit: true });
    assert.deepEqual(await get(`/nar/${FILE}?x`), { status: 200, text: NAR, hit: true });
    assert.deepEqual(await get(`/nar/${FILE}`, { range: "bytes=3-4" }), {
      status: 206,
      text: "34",
      hit: true,
    });
    assert.equal((await get(`/nar/${FILE}`, { "if-none-match": "*" })).status, 304);
    assert.equal((await get(`/nar/${FILE}`, { range: "bytes=99-" })).status, 416);
    assert.equal((await edge().fetch(`/nar/${FILE}`, { method: "HEAD" })).status, 200);
    assert.deepEqual(edge().takeAsked(), []);
  });

  it("knows one cache's NAR from another's", async () => {
    assert.equal((await get(`/nar/nar/${FILE}`)).hit, false);
  });

  it("keeps nothing of a NAR that broke off on its way from the bucket, and the client hears of it", async () => {
    const path = `/main/nar/${BROKEN}`;
    const bytes = "0123456789".repeat(20_000);
    await edge().put({ [`main/nar/${BROKEN}`]: bytes });
    edge().faults = { broken: true };
    for (let round = 0; round < 3; round++) {
      await assert.rejects(async () => await get(path));
      await edge().settle();
    }
    edge().faults = {};
    const answer = await get(path);
    assert.deepEqual([answer.status, answer.text === bytes, answer.hit], [200, true, false]);
  });

  it("does not keep that a NAR is missing", async () => {
    assert.equal((await get(`/main/nar/${NO_FILE}`)).status, 404);
    await edge().put({ [`main/nar/${NO_FILE}`]: "here" });
    assert.equal((await get(`/main/nar/${NO_FILE}`)).text, "here");
  });
});
