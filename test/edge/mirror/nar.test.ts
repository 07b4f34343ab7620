import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { describe, it } from "mocha";
import { brotliCompressSync, constants, zstdCompressSync } from "node:zlib";
import { fromBase32, narHashOf, toBase32 } from "../../../jobs/mirror/nar/base32.ts";
import { NarCheck } from "../../../jobs/mirror/nar/check.ts";
import { memoryOf, partSize } from "../../../jobs/mirror/nar/transfer.ts";
import { fromNixBase32, toNixBase32 } from "../../../sandbox/attic/nix/base32.ts";
import { randomNumbers } from "../../support/random.ts";

const MIB = 2 ** 20;

/** Checks bytes that come in pieces cut at random. */
async function check(compression: string, nar: Buffer, sent: Buffer, random: () => number): Promise<void> {
  const narHash = toBase32(createHash("sha256").update(nar).digest());
  const checked = new NarCheck(compression, { narHash, narSize: nar.length });
  for (let start = 0; start < sent.length;) {
    const end = start + 1 + Math.floor(random() ** 4 * 100_000);
    await checked.take(sent.subarray(start, end));
    start = end;
  }
  await checked.finish();
}

function zstd(nar: Buffer, piece: number, withChecksum: boolean): Buffer {
  const options = { params: { [constants.ZSTD_c_checksumFlag]: withChecksum ? 1 : 0 } };
  const frames: Buffer[] = [];
  for (let start = 0; start < nar.length; start += piece)
    frames.push(zstdCompressSync(nar.subarray(start, start + piece), options));
  return Buffer.concat(frames);
}

describe("the mirror's check of a NAR", function () {
  this.timeout(60_000);
  const seed = Number(process.env.TEST_SEED ?? Math.floor(Math.random() * 2 ** 31));
  const random = randomNumbers(seed);

  it(`takes every NAR as it is, in one frame of zstd or in many, however its bytes come (TEST_SEED=${seed})`, async () => {
    for (let time = 0; time < 150; time += 1) {
      const size = 1 + Math.floor(random() ** 3 * 500_000);
      const nar = random() < 0.5 ? randomBytes(size) : Buffer.alloc(size, "nar");
      const sent = zstd(nar, 1 + Math.floor(random() * size), random() < 0.5);
      await check("zstd", nar, sent, random);
    }
  });

  it("takes a frame that is large, and one that becomes large", async () => {
    for (const nar of [
      randomBytes(5 * MIB),
      Buffer.alloc(40 * MIB),
      Buffer.concat([Buffer.alloc(9 * MIB), randomBytes(3 * MIB)]),
    ]) {
      await check("zstd", nar, zstdCompressSync(nar), random);
      await check("zstd", nar, zstd(nar, 7 * MIB, true), random);
    }
  });

  it("takes brotli and what is not compressed", async () => {
    const nar = Buffer.concat([randomBytes(300_000), Buffer.alloc(MIB)]);
    await check("br", nar, brotliCompressSync(nar), random);
    await check("none", nar, nar, random);
  });

  it(`refuses whatever is another by one bit, too short or too long (TEST_SEED=${seed})`, async () => {
    const nar = Buffer.concat([randomBytes(60_000), Buffer.alloc(60_000)]);
    const ways = { zstd: zstd(nar, 50_000, false), br: brotliCompressSync(nar), none: nar };
    for (const [compression, sent] of Object.entries(ways)) {
      const refuses = async (bytes: Buffer, what: string) => {
        await assert.rejects(
          check(compression, nar, bytes, random),
          { name: "Nonsense" },
          `${compression}: ${what}`,
        );
      };
      await refuses(sent.subarray(0, -1), "short");
      await refuses(Buffer.concat([sent, Buffer.from([0])]), "long");
      await refuses(Buffer.concat([sent, sent]), "twice");
      await refuses(Buffer.alloc(0), "nothing");
      for (let time = 0; time < 100; time += 1) {
        const place = Math.floor(random() * sent.length);
        const bent = Buffer.from(sent);
        bent.writeUInt8(bent.readUInt8(place) ^ (1 << Math.floor(random() * 8)), place);
        // A bit may be one that says nothing, such as those that fill up a byte: then the NAR is the same.
        await check(compression, nar, bent, random).catch((error: unknown) => {
          assert.equal((error as Error).name, "Nonsense");
        });
      }
    }
  });

  it("reads what bombs hold no further than the NAR is long", async () => {
    const bomb = zstdCompressSync(Buffer.alloc(300 * MIB));
    await assert.rejects(check("zstd", Buffer.alloc(1000), bomb, random), { name: "Nonsense" });
  });
});

describe("the parts that a NAR is sent in", () => {
  it("are of 8 MiB, and larger where there would be more than 10,000", () => {
    assert.equal(partSize(0), 8 * MIB);
    assert.equal(partSize(10 * 2 ** 30), 8 * MIB);
    for (const size of [80 * 2 ** 30, 500 * 2 ** 30, 4 * 2 ** 40]) {
      assert.equal(partSize(size) % MIB, 0);
      assert.ok((size * 1.02) / partSize(size) < 10_000);
    }
  });

  it("take memory for two of them, and less where the NAR is smaller than one", () => {
    assert.equal(memoryOf(1000), 1000 + 2 ** 16);
    assert.equal(memoryOf(2 ** 40) / partSize(2 ** 40), 2);
  });
});

describe("the mirror's base 32", () => {
  it("is Nix's", () => {
    for (let time = 0; time < 200; time += 1) {
      const bytes = randomBytes(32);
      assert.equal(toBase32(bytes), toNixBase32(bytes));
      assert.deepEqual(fromBase32(toBase32(bytes)), fromNixBase32(toBase32(bytes), 32));
      assert.equal(narHashOf(`sha256:${bytes.toString("hex")}`), toBase32(bytes));
      assert.equal(narHashOf(`sha256:${toBase32(bytes)}`), toBase32(bytes));
    }
    for (const none of ["", "sha256:", "md5:00", `sha256:${"z".repeat(52)}`, `sha256:${"0".repeat(51)}`])
      assert.equal(narHashOf(none), undefined);
  });
});
