import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { beforeEach, describe, it } from "mocha";
import { toNixBase32 } from "../../sandbox/attic/nix/base32.ts";
import type { Answer } from "./support/answer.ts";
import { archive } from "../../sandbox/welcome/store-path.ts";
import { makePath, pathOf, type Path, sha256 } from "./support/nar.ts";
import { parseNarInfo } from "./support/narinfo.ts";
import { contract } from "./support/suite.ts";

const UPLOAD = "/_api/v1/upload-path";
const SIZE = "x-attic-nar-info-preamble-size";
/** Well above the size from which any server would cut a NAR into chunks, and their largest size. */
const LARGE = 1_000_000;

/** Attic names the NAR or its chunk, as it has cut it. */
const BAD_NAR = /^General request error: Bad (NAR Hash or Size|chunk hash or size)$/;

interface Uploaded {
  kind: string;
  file_size?: number;
  frac_deduplicated: number | null;
}

contract("pushing", (attic) => {
  let cache: string;
  beforeEach(async () => {
    cache = await attic.cache();
  });

  const push = async ({ info, nar }: Pick<Path, "info" | "nar">, token?: string): Promise<Answer> =>
    await attic.call("PUT", UPLOAD, {
      body: nar,
      headers: { "x-attic-nar-info": JSON.stringify(info) },
      ...(token !== undefined && { token }),
    });
  const pushWithPreamble = async ({ info, nar }: Path): Promise<Answer> => {
    const preamble = Buffer.from(JSON.stringify(info));
    const headers = { [SIZE]: String(preamble.length) };
    return await attic.call("PUT", UPLOAD, { body: Buffer.concat([preamble, nar]), headers });
  };
  const isThere = async (hash: string) => {
    const { status } = await attic.call("GET", `/${cache}/${hash}.narinfo`);
    return status === 200;
  };
  const done = (answer: Answer) => answer.json() as Uploaded;
  /**
   * Pushes until the NAR is found to be there. The real server lets a NAR go only after it has answered, and takes one
   * that is just being let go for one that is not there.
   */
  const deduplicated = async (make: () => Path): Promise<Uploaded> => {
    for (let tries = 1; ; tries += 1) {
      const answer = done(await push(make()));
      if (answer.kind === "Deduplicated" || tries === 10) return answer;
      await sleep(100);
    }
  };

  for (const [form, send] of Object.entries({ "in a header": push, "in the body": pushWithPreamble })) {
    it(`takes a small path that is described ${form}`, async () => {
      const path = makePath(cache, 1000);
      const { kind, file_size: size, frac_deduplicated: part } = done(await send(path));
      assert.deepEqual({ kind, part }, { kind: "Uploaded", part: null });
      assert.ok(size !== undefined && size > 900 && size < 1300, `${size}`);
      assert.ok(await isThere(path.hash));
    });

    it(`takes a large path that is described ${form}`, async () => {
      const path = makePath(cache, LARGE);
      const { kind, file_size: size } = done(await send(path));
      assert.equal(kind, "Uploaded");
      assert.ok(size !== undefined && size > 0.99 * LARGE && size < 1.02 * LARGE, `${size}`);
      assert.ok(await isThere(path.hash));
    });
  }

  it("takes a description that is too large for a header in the body", async () => {
    const references = Array.from({ length: 2000 }, () => `${toNixBase32(randomBytes(20))}-reference`);
    const path = makePath(cache, 100, { references });
    assert.equal(done(await pushWithPreamble(path)).kind, "Uploaded");
    const narInfo = parseNarInfo((await attic.call("GET", `/${cache}/${path.hash}.narinfo`)).text);
    assert.deepEqual(narInfo.References?.split(" "), references);
  });

  it("takes the description in the body where both are there", async () => {
    const path = makePath(cache, 100);
    const other = makePath(cache, 100);
    const preamble = Buffer.from(JSON.stringify(path.info));
    const headers = { [SIZE]: String(preamble.length), "x-attic-nar-info": JSON.stringify(other.info) };
    const answer = await attic.call("PUT", UPLOAD, { body: Buffer.concat([preamble, path.nar]), headers });
    assert.equal(done(answer).kind, "Uploaded");
    assert.deepEqual([await isThere(path.hash), await isThere(other.hash)], [true, false]);
  });

  it("takes a description without the fields that may be missing, in any letters", async () => {
    const path = makePath(cache, 100);
    const { system: _system, deriver: _deriver, ca: _ca, ...info } = path.info;
    assert.equal(done(await push({ ...path, info: { ...info, new_field: "ä" } })).kind, "Uploaded");
  });

  it("takes a hash in Nix' own base32 too", async () => {
    const { hash, nar, info } = makePath(cache, 100);
    const digest = Buffer.from(sha256(nar).slice("sha256:".length), "hex");
    const written = { ...info, nar_hash: `sha256:${toNixBase32(digest)}` };
    assert.equal(done(await push({ nar, info: written })).kind, "Uploaded");
    const narInfo = parseNarInfo((await attic.call("GET", `/${cache}/${hash}.narinfo`)).text);
    assert.equal(narInfo.NarHash, sha256(nar));
  });

  it("takes a NAR of nothing", async () => {
    const path = pathOf(cache, Buffer.alloc(0));
    assert.ok(["Uploaded", "Deduplicated"].includes(done(await push(path)).kind));
  });

  for (const [size, title] of [
    [1000, "small"],
    [LARGE, "large"],
  ] as const) {
    describe(`a ${title} NAR`, () => {
      it("is not taken where its hash is another than was said", async () => {
        const path = makePath(cache, size, { nar_hash: sha256(randomBytes(8)) });
        assert.match((await push(path)).isRefused("RequestError"), BAD_NAR);
        assert.equal(await isThere(path.hash), false);
      });

      it("is not taken where it is shorter than was said", async () => {
        const path = makePath(cache, size);
        const short = { ...path, nar: path.nar.subarray(0, -1) };
        assert.match((await push(short)).isRefused("RequestError"), BAD_NAR);
        const none = { ...path, nar: Buffer.alloc(0) };
        assert.match((await push(none)).isRefused("RequestError"), BAD_NAR);
        assert.equal(await isThere(path.hash), false);
      });

      it("is taken after one that was not, under the same name", async () => {
        const path = makePath(cache, size);
        (await push({ ...path, nar: randomBytes(path.nar.length) })).isRefused("RequestError");
        assert.equal(done(await push(path)).kind, "Uploaded");
        assert.ok(await isThere(path.hash));
      });

      it("is not sent to the store again under another name, nor in another cache", async () => {
        const first = makePath(cache, size);
        assert.equal(done(await push(first)).kind, "Uploaded");
        const other = await attic.cache();
        const again = [() => first, () => pathOf(cache, first.nar), () => pathOf(other, first.nar)];
        for (const make of again)
          assert.deepEqual(await deduplicated(make), { kind: "Deduplicated", frac_deduplicated: null });
      });

      it("that is there is not granted to who only knows its hash", async () => {
        const path = makePath(cache, size);
        assert.equal(done(await push(path)).kind, "Uploaded");
        await deduplicated(() => path);
        const { hash, info } = pathOf(cache, path.nar);
        for (const nar of [Buffer.alloc(0), path.nar.subarray(1), randomBytes(path.nar.length)])
          assert.match((await push({ nar, info })).isRefused("RequestError"), BAD_NAR);
        assert.equal(await isThere(hash), false);
      });

      it("is stored once or twice, and whole, where many push it at once", async () => {
        const nar = archive(randomBytes(size));
        const paths = Array.from({ length: 6 }, () => pathOf(cache, nar));
        const kinds = await Promise.all(paths.map(async (path) => done(await push(path)).kind));
        assert.ok(kinds.every((kind) => kind === "Uploaded" || kind === "Deduplicated"));
        for (const { hash } of paths) assert.ok(await isThere(hash));
      });
    });
  }

  it("stores the chunks of a NAR only once that another NAR has too", async () => {
    const content = randomBytes(4 * LARGE);
    assert.equal(done(await push(pathOf(cache, archive(content)))).frac_deduplicated, 0);
    let part: number | null = null;
    // As with NARs, a chunk that is just being let go counts as not there.
    for (let tries = 0; tries < 10 && (part ?? 0) <= 0.8; tries += 1) {
      await sleep(100);
      content.writeUInt8(content.readUInt8(100 + tries) ^ 1, 100 + tries);
      const uploaded = done(await push(pathOf(cache, archive(content))));
      assert.equal(uploaded.kind, "Uploaded");
      part = uploaded.frac_deduplicated;
    }
    assert.ok(part !== null && part > 0.8 && part < 1, `${part}`);
  });

  it("replaces a path by a later one of the same name", async () => {
    const path = makePath(cache, 100, { references: ["a-1"], deriver: "x.drv" });
    assert.equal(done(await push(path)).kind, "Uploaded");
    const later = pathOf(cache, archive(randomBytes(200)));
    const info = { ...later.info, store_path_hash: path.hash };
    assert.equal(done(await push({ nar: later.nar, info })).kind, "Uploaded");
    const narInfo = parseNarInfo((await attic.call("GET", `/${cache}/${path.hash}.narinfo`)).text);
    assert.equal(narInfo.NarHash, sha256(later.nar));
    assert.deepEqual([narInfo.References, narInfo.Deriver], ["", undefined]);
  });

  it("needs a description that can be read", async () => {
    const { info, nar } = makePath(cache, 10);
    const none = await attic.call("PUT", UPLOAD, { body: nar });
    assert.equal(none.isRefused("RequestError"), "General request error: X-Attic-Nar-Info must be set");
    const { nar_size: _size, ...incomplete } = info;
    const bad = [
      "{",
      "[]",
      JSON.stringify(incomplete),
      ...[
        { cache: "_x" },
        { store_path_hash: "e".repeat(32) },
        { store_path_hash: "a".repeat(31) },
        { store_path: null },
        { references: null },
        { references: [1] },
        { nar_size: -1 },
        { nar_size: "10" },
        { nar_hash: "sha256:00" },
        { nar_hash: `md5:${"0".repeat(32)}` },
        { nar_hash: "0".repeat(64) },
        { nar_hash: `sha256:${"g".repeat(64)}` },
      ].map((more) => JSON.stringify({ ...info, ...more })),
    ];
    for (const text of bad) {
      const answer = await attic.call("PUT", UPLOAD, { body: nar, headers: { "x-attic-nar-info": text } });
      answer.isRefused("RequestError");
    }
  });

  it("needs a preamble of the size that is named", async () => {
    const { info } = makePath(cache, 10);
    const preamble = Buffer.from(JSON.stringify(info));
    const ask = async (size: string) =>
      (await attic.call("PUT", UPLOAD, { body: preamble, headers: { [SIZE]: size } })).isRefused(
        "RequestError",
      );
    const prefix = "General request error: ";
    for (const size of ["x", "-1", "1.5", ""])
      assert.equal(
        await ask(size),
        `${prefix}X-Attic-Nar-Info-Preamble-Size must be a valid unsigned integer`,
      );
    assert.equal(await ask(String(preamble.length + 1)), `${prefix}Upload info doesn't match specified size`);
    assert.equal(await ask(String(2 ** 30)), `${prefix}Upload info is too large`);
    assert.match(await ask(String(preamble.length - 1)), new RegExp(`^${prefix}`));
    assert.match(await ask("0"), new RegExp(`^${prefix}`));
  });

  it("goes on after refusing who may not push", async () => {
    // More than this the real server does not read, and closes the connection: who sends may not hear the answer.
    const path = makePath(cache, 30_000);
    for (let round = 0; round < 3; round += 1) {
      (await push(path, attic.tokenFor(cache, "pull"))).isRefused("AccessError");
      (await push(path, attic.tokenFor("another", "push"))).isRefused("Unauthorized");
    }
    assert.equal(done(await push(path)).kind, "Uploaded");
  });
});

contract("asking for missing paths", (attic) => {
  const ask = async (json: unknown): Promise<Answer> =>
    await attic.call("POST", "/_api/v1/get-missing-paths", { json });

  it("names those that are not in that cache, each once", async () => {
    const [cache, other] = [await attic.cache(), await attic.cache()];
    const [here, there] = [makePath(cache, 100), makePath(other, 100)];
    for (const { info, nar } of [here, there])
      await attic.call("PUT", UPLOAD, { body: nar, headers: { "x-attic-nar-info": JSON.stringify(info) } });
    const unknown = toNixBase32(randomBytes(20));
    const hashes = [here.hash, there.hash, unknown, unknown, here.hash];
    const { missing_paths: missing } = (await ask({ cache, store_path_hashes: hashes })).json() as {
      missing_paths: string[];
    };
    assert.deepEqual(missing.sort(), [there.hash, unknown].sort());
  });

  it("names none of none", async () => {
    const cache = await attic.cache();
    assert.deepEqual((await ask({ cache, store_path_hashes: [] })).json(), { missing_paths: [] });
  });

  it("answers for ten thousand at once, and refuses what is over two megabytes", async () => {
    const cache = await attic.cache();
    const hashes = (count: number) => Array.from({ length: count }, () => toNixBase32(randomBytes(20)));
    const { missing_paths: missing } = (await ask({ cache, store_path_hashes: hashes(10_000) })).json() as {
      missing_paths: string[];
    };
    assert.equal(missing.length, 10_000);
    const large = await ask({ cache, store_path_hashes: hashes(60_000) });
    large.isMalformed(413, /^Failed to buffer the request body: length limit exceeded$/);
  });

  it("refuses what is no hash of a path, or no cache", async () => {
    const cache = await attic.cache();
    for (const hash of ["", "a".repeat(31), "a".repeat(33), "e".repeat(32), "A".repeat(32), 1, null])
      (await ask({ cache, store_path_hashes: [hash] })).isMalformed(422, /store_path_hashes/);
    (await ask({ cache: "_x", store_path_hashes: [] })).isMalformed(422, /cache/);
    (await ask({ cache })).isMalformed(422, /store_path_hashes/);
  });
});
