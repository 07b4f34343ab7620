import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { describe, it } from "mocha";
import fc from "fast-check";
import type { FoundObject } from "../../../../sandbox/attic/database/objects.ts";
import { atMost, split } from "../../../../sandbox/attic/http/body.ts";
import { fromNixBase32, toNixBase32 } from "../../../../sandbox/attic/nix/base32.ts";
import { readNarHash } from "../../../../sandbox/attic/nix/hash.ts";
import { generateKeypair, isKeypair, publicKeyOf } from "../../../../sandbox/attic/nix/keypair.ts";
import { narInfo } from "../../../../sandbox/attic/nix/narinfo.ts";
import { chunksOfStream } from "../../../../sandbox/attic/upload/chunker.ts";
import { isSignedBy, parseNarInfo } from "../../../contract/support/narinfo.ts";

const SIZES = { "nar-size-threshold": 0, "min-size": 1024, "avg-size": 4096, "max-size": 16_384 };

// eslint-disable-next-line @typescript-eslint/require-await -- a stream that has all that it will give
async function* streamOf(bytes: Buffer, piece: number): AsyncGenerator<Buffer> {
  for (let place = 0; place < bytes.length; place += piece) yield bytes.subarray(place, place + piece);
}

async function gather(stream: AsyncIterable<Buffer>): Promise<Buffer[]> {
  const pieces: Buffer[] = [];
  for await (const piece of stream) pieces.push(piece);
  return pieces;
}

async function chunksOf(bytes: Buffer, sizes = SIZES, piece = 5000): Promise<Buffer[]> {
  return await gather(chunksOfStream(streamOf(bytes, piece), sizes));
}

describe("cutting a NAR into chunks", () => {
  it("loses nothing, and keeps to the sizes, however the stream comes", async () => {
    const bytes = fc.uint8Array({ maxLength: 60_000 }).map((array) => Buffer.from(array));
    await fc.assert(
      fc.asyncProperty(bytes, fc.integer({ min: 1, max: 70_000 }), async (content, piece) => {
        const chunks = await chunksOf(content, SIZES, piece);
        assert.deepEqual(Buffer.concat(chunks), content);
        for (const chunk of chunks) assert.ok(chunk.length > 0 && chunk.length <= 16_384);
        for (const chunk of chunks.slice(0, -1)) assert.ok(chunk.length > 1024);
        assert.deepEqual(await chunksOf(content, SIZES, 60_000), chunks);
      }),
      { numRuns: 50 },
    );
  });

  it("makes them about as large as is wanted", async () => {
    const { length } = await chunksOf(randomBytes(4_000_000));
    assert.ok(length > 4_000_000 / 8192 && length < 4_000_000 / 2048, `${length} chunks`);
  });

  it("makes most of them the same where something was put in", async () => {
    const content = randomBytes(1_000_000);
    const changed = Buffer.concat([
      content.subarray(0, 300_000),
      Buffer.from("new"),
      content.subarray(300_000),
    ]);
    const before = new Set((await chunksOf(content)).map((chunk) => chunk.toString("base64")));
    const after = await chunksOf(changed);
    const fresh = after.filter((chunk) => !before.has(chunk.toString("base64")));
    assert.ok(fresh.length <= 5, `${fresh.length} of ${after.length} are new`);
  });

  it("makes the largest of what is the same all over", async () => {
    const sizes = (await chunksOf(Buffer.alloc(40_000))).map(({ length }) => length);
    assert.deepEqual(sizes, [16_384, 16_384, 7232]);
  });

  it("ends with sizes that make no sense", async () => {
    for (const sizes of [
      { ...SIZES, "min-size": 0, "avg-size": 0, "max-size": 0 },
      { ...SIZES, "min-size": 9000, "avg-size": 10, "max-size": 20 },
    ])
      assert.deepEqual(Buffer.concat(await chunksOf(Buffer.alloc(500, 1), sizes)), Buffer.alloc(500, 1));
  });
});

describe("the start of a stream", () => {
  it("is taken off it, wherever its pieces end", async () => {
    const content = randomBytes(100);
    for (const piece of [1, 7, 100]) {
      for (const size of [0, 1, 50, 99, 100]) {
        const { head, rest } = await split(streamOf(content, piece), size);
        assert.deepEqual(head, content.subarray(0, size));
        assert.deepEqual(Buffer.concat(await gather(rest)), content.subarray(size));
        const start = Buffer.concat(await gather(atMost(streamOf(content, piece), size)));
        assert.deepEqual(start, content.subarray(0, size));
      }
      const { head, rest } = await split(streamOf(content, piece), 200);
      assert.deepEqual([head, await gather(rest)], [content, []]);
    }
  });
});

describe("Nix' own base32", () => {
  const EMPTY = "0mdqa9w1p6cmli6976v4wi0sw9r4p5prkj7lzfd1877wk11c9c73";

  it("is what Nix makes of the hash of nothing", () => {
    const hash = createHash("sha256").digest();
    assert.equal(toNixBase32(hash), EMPTY);
    assert.deepEqual(fromNixBase32(EMPTY, 32), hash);
  });

  it("gives back what it was made of", () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1, maxLength: 40 }), (array) => {
        const bytes = Buffer.from(array);
        assert.deepEqual(fromNixBase32(toNixBase32(bytes), bytes.length), bytes);
      }),
    );
  });

  it("is refused with signs that it does not have, of another length, and too large", () => {
    for (const text of [EMPTY.slice(1), `${EMPTY}0`, EMPTY.replace("0", "e"), EMPTY.toUpperCase(), ""])
      assert.equal(fromNixBase32(text, 32), undefined);
    assert.equal(fromNixBase32(`z${EMPTY.slice(1)}`, 32), undefined);
  });

  it("and base16 are the forms of a hash that are read", () => {
    const digest = createHash("sha256").digest("hex");
    for (const text of [`sha256:${digest}`, `sha256:${digest.toUpperCase()}`, `sha256:${EMPTY}`])
      assert.equal(readNarHash(text), `sha256:${digest}`);
    for (const text of [
      digest,
      `sha1:${digest}`,
      `sha256:${digest}0`,
      `sha256-${EMPTY}`,
      "sha256:",
      "",
      `sha256:${digest}\n`,
    ])
      assert.equal(readNarHash(text), undefined);
  });
});

describe("a narinfo", () => {
  /** Of a signature that the binary cache of NixOS itself has published. */
  const OBJECT: Omit<FoundObject, "keypair"> = {
    id: "1",
    nar_id: "1",
    store_path: "/nix/store/xcp9cav49dmsjbwdjlmkjxj10gkpx553-hello-2.10",
    store_path_hash: "xcp9cav49dmsjbwdjlmkjxj10gkpx553",
    references:
      '["563528481rvhc5kxwipjmg6rqrl95mdx-glibc-2.33-56","xcp9cav49dmsjbwdjlmkjxj10gkpx553-hello-2.10"]',
    system: null,
    deriver: "vvb4wxmnjixmrkhmj2xb75z62hrr41i7-hello-2.10.drv",
    ca: null,
    compression: "zstd",
    nar_hash: "sha256:91e129ac1959d062ad093d2b1f8b65afae0f712056fe3eac78ec530ff6a1bb9a",
    nar_size: "206104",
    num_chunks: 1,
    is_public: true,
  };
  const PUBLISHED =
    "cache.nixos.org-1:lo9EfNIL4eGRuNh7DTbAAffWPpI2SlYC/8uP7JnhgmfRIUNGhSbFe8qEaKN0mFS02TuhPpXFPNtRkFcCp0hGAQ==";
  const NIXOS = "cache.nixos.org-1:6NCHdD59X431o0gWypbMrAURkbJ16ZPMQFGspcDShjY=";

  it("is signed over what Nix checks", () => {
    const keypair = generateKeypair("k");
    const fields = parseNarInfo(narInfo({ ...OBJECT, keypair }));
    assert.ok(isSignedBy(fields, publicKeyOf(keypair)));
    // The same check takes the signature that NixOS has made of this very path.
    assert.ok(isSignedBy({ ...fields, Sig: PUBLISHED }, NIXOS));
    const changes = {
      StorePath: "/nix/store/x",
      NarHash: `sha256:${"0".repeat(64)}`,
      NarSize: "1",
      References: "x",
    };
    for (const [field, value] of Object.entries(changes))
      assert.equal(isSignedBy({ ...fields, [field]: value }, publicKeyOf(keypair)), false);
  });

  it("has a keypair of a name and 64 bytes", () => {
    const keypair = generateKeypair("name");
    assert.ok(isKeypair(keypair));
    assert.match(publicKeyOf(keypair), /^name:[A-Za-z0-9+/]{43}=$/);
    for (const text of [
      "",
      ":",
      "name",
      keypair.slice(4),
      keypair.slice(0, -1),
      `${keypair} `,
      `x:${keypair}`,
    ])
      assert.equal(isKeypair(text), false, text.slice(0, 8));
  });
});
