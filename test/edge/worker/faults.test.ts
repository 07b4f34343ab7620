import assert from "node:assert/strict";
import { it } from "mocha";
import { TestWorker } from "../../support/worker.ts";
import { basic, CONFIG, edgeCache, FILE, HASH, tokenFor } from "./support/edge.ts";
import { suite } from "./support/suite.ts";

const INSIDE = "get: We encountered an internal error (10001) at /inside";

suite("a bucket that fails", (edge) => {
  it("is answered with 503 and when to ask again, and nothing of the inside", async () => {
    edge().faults = { bucket: INSIDE };
    const headers = basic(tokenFor({ team: { r: 1 } }));
    for (const path of [`/main/${HASH}.narinfo`, `/main/nar/${FILE}`, `/team/nar/${FILE}`, "/status"])
      for (const method of ["GET", "HEAD"]) {
        const answer = await edge().fetch(path, { method, headers });
        assert.deepEqual(
          [
            answer.status,
            answer.headers.get("retry-after"),
            answer.headers.get("cache-control"),
            await answer.text(),
          ],
          [503, "10", "no-store", method === "GET" ? "The edge cannot read its bucket just now.\n" : ""],
        );
      }
  });

  it("is told to the operator in one line, without the token", async () => {
    edge().faults = { bucket: `${INSIDE}\nand more` };
    const token = tokenFor({ team: { r: 1 } });
    await edge().fetch(`/team/nar/${FILE}?secret`, { headers: basic(token) });
    assert.match(
      edge().log,
      new RegExp(`^edge: GET /team/nar/${FILE}: Error: get: We .* /inside and more$`, "m"),
    );
    assert.ok(!edge().log.includes("secret") && !edge().log.includes(token.slice(-20)));
  });

  it("leaves what needs no bucket: the cache's description, the page, and refusals", async () => {
    edge().faults = { bucket: INSIDE };
    assert.equal((await edge().fetch("/nix-cache-info")).status, 200);
    assert.equal((await edge().fetch(`/team/nar/${FILE}`)).status, 401);
    const page = await edge().fetch("/");
    assert.equal(page.status, 200);
    assert.match(await page.text(), /How old the mirror is cannot be said just now\./);
  });

  it("is forgotten once it is there again", async () => {
    edge().faults = {};
    assert.equal((await edge().fetch(`/main/nar/${FILE}`)).status, 200);
  });
});

suite("a NAR of many gigabytes", (edge) => {
  it("streams: what the client has not read yet is not read from the bucket", async () => {
    edge().faults = { endless: 50e9 };
    const answer = await edge().fetch(`/main/nar/${FILE}`);
    assert.equal(answer.status, 200);
    const reader = (answer.body as ReadableStream<Uint8Array>).getReader();
    let read = 0;
    while (read < 4e6) read += (await reader.read()).value?.length ?? Infinity;
    let made = 0;
    // Until the buffers of the sockets in between are full.
    while (made < edge().made) {
      made = edge().made;
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
    assert.ok(made < read + 32e6, `${made} bytes were made for ${read}`);
    await reader.cancel();
    edge().faults = {};
  });

  it("is not kept in Cloudflare's cache, which takes 512 MB", async () => {
    for (const [endless, calls] of [
      [512 * 1024 * 1024 + 1, ["get"]],
      [512 * 1024 * 1024, ["get", "get"]],
    ] as const) {
      edge().faults = { endless };
      const path = `/main/nar/${FILE.replaceAll("1", String(endless % 10))}`;
      await (await edge().fetch(path)).body?.cancel();
      edge().takeAsked();
      await (await edge().fetch(path)).body?.cancel();
      assert.deepEqual(edge().takeAsked(), calls);
    }
    edge().faults = {};
  });
});

suite("a configuration that is not in order", () => {
  const bad = { ...CONFIG.caches[0] };
  for (const [key, config] of Object.entries({
    url: { ...CONFIG, url: "https://cache.example.com/" },
    "caches[0].name": { ...CONFIG, caches: [{ ...bad, name: "../x" }] },
    "caches[1].name": { ...CONFIG, caches: [edgeCache("main", true), edgeCache("main", false)] },
    "caches[0].isPublic": { ...CONFIG, caches: [{ ...bad, isPublic: "no" }] },
    "caches[0].publicKey": { ...CONFIG, caches: [{ ...bad, publicKey: "<b>" }] },
    "caches[0].storeDir": { ...CONFIG, caches: [{ ...bad, storeDir: "/nix\nPriority: 1" }] },
    "caches[0].priority": { ...CONFIG, caches: [{ ...bad, priority: "1" }] },
    default: { ...CONFIG, default: "unknown" },
    "token.algorithm": { ...CONFIG, token: { algorithm: "none" } },
    "token.publicKey": { ...CONFIG, token: { algorithm: "RS256", publicKey: "-----BEGIN PUBLIC KEY-----" } },
    pullThrough: { ...CONFIG, pullThrough: "https://attic.example.com" },
    "": null,
  }))
    it(`serves nothing, and the log says where: ${key || "there is none"}`, async () => {
      await using worker = await TestWorker.start({ config });
      for (const path of ["/", `/main/${HASH}.narinfo`]) {
        const answer = await worker.fetch(path);
        assert.equal(answer.status, 500);
        assert.equal(
          await answer.text(),
          "The edge's configuration is not in order: the Worker's log says what.\n",
        );
      }
      assert.match(worker.log, /^edge: GET \/: \w*Error: /m);
      assert.ok(worker.log.includes(key));
    });

  it("may be text as well, where it is JSON", async () => {
    await using worker = await TestWorker.start({ config: JSON.stringify(CONFIG) });
    assert.equal((await worker.fetch("/main/nix-cache-info")).status, 200);
    await using broken = await TestWorker.start({ config: "{" });
    assert.equal((await broken.fetch("/main/nix-cache-info")).status, 500);
  });
});
