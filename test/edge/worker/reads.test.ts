import assert from "node:assert/strict";
import { it } from "mocha";
import { basic, CONFIG, edgeCache, FILE, HASH, NAR_HASH, NO_FILE, tokenFor } from "./support/edge.ts";
import { suite } from "./support/suite.ts";

const LONG = "a".repeat(50);
const READ = { indexes: [`main/${NAR_HASH}`], blobs: ["main", NAR_HASH] };

suite(
  "reads",
  (edge) => {
    const reads = async (path: string, init?: { method?: string; headers?: Record<string, string> }) => {
      edge().takeReads();
      await (await edge().fetch(path, init)).arrayBuffer();
      await edge().settle();
      return edge().takeReads();
    };

    it("are noted once for each GET of a NAR, from the bucket and then from Cloudflare's cache", async () => {
      for (let round = 0; round < 3; round++) assert.deepEqual(await reads(`/main/nar/${FILE}`), [READ]);
      assert.deepEqual(await reads(`/nar/${FILE}`), [READ]);
    });

    it("are noted for a part", async () => {
      assert.deepEqual(await reads(`/main/nar/${FILE}`, { headers: { range: "bytes=1-2" } }), [READ]);
    });

    it("are noted for a private cache", async () => {
      const headers = basic(tokenFor({ team: { r: 1 } }));
      const read = { indexes: [`team/${NAR_HASH}`], blobs: ["team", NAR_HASH] };
      assert.deepEqual(await reads(`/team/nar/${FILE}`, { headers }), [read]);
    });

    it("have an index of 96 bytes at most, also of the longest name", async () => {
      const noted = await reads(`/${LONG}/nar/${FILE}`);
      assert.deepEqual(noted, [{ indexes: [`${LONG}/${NAR_HASH.slice(0, 45)}`], blobs: [LONG, NAR_HASH] }]);
      assert.equal(Buffer.byteLength(noted[0]?.indexes[0] ?? ""), 96);
    });

    it("are none where no byte was answered", async () => {
      for (const headers of [{ "if-none-match": "*" }, { "if-match": '"x"' }, { range: "bytes=99-" }])
        assert.deepEqual(await reads(`/main/nar/${FILE}`, { headers }), []);
      assert.deepEqual(await reads(`/main/nar/${FILE}`, { method: "HEAD" }), []);
      assert.deepEqual(await reads(`/main/nar/${NO_FILE}`), []);
      assert.deepEqual(await reads(`/team/nar/${FILE}`), []);
    });

    it("are none of anything else than a NAR", async () => {
      for (const path of ["/", "/status", "/nix-cache-info", `/${HASH}.narinfo`])
        assert.deepEqual(await reads(path), [], path);
    });

    it("that cannot be noted are answered all the same, and the log says so", async () => {
      edge().faults = { reads: true };
      const answer = await edge().fetch(`/main/nar/${FILE}`);
      assert.deepEqual([answer.status, await answer.text()], [200, "0123456789"]);
      assert.match(edge().log, /edge: a read could not be noted/);
      edge().faults = {};
    });
  },
  {
    config: { ...CONFIG, caches: [...CONFIG.caches, edgeCache(LONG, true)] },
    objects: { [`main/nar/${FILE}`]: "0123456789", [`team/nar/${FILE}`]: "x", [`${LONG}/nar/${FILE}`]: "x" },
  },
);
