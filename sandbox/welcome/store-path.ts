import { createHash } from "node:crypto";
import { toNixBase32 } from "../attic/nix/base32.ts";

/** A file in a Nix store, with all that a cache is told of it. */
export interface StorePath {
  /** Such as "/nix/store/<hash>-name". */
  path: string;
  /** The 32 characters before the name. */
  hash: string;
  /** The file as an archive of Nix. */
  nar: Buffer;
  /** `sha256:` and hexadecimal digits. */
  narHash: string;
}

/** The path that `builtins.toFile` makes of a text: its name follows from what is in it. */
export function textPath(storeDir: string, name: string, text: string): StorePath {
  const inner = `text:sha256:${sha256(text).toString("hex")}:${storeDir}:${name}`;
  const hash = toNixBase32(folded(sha256(inner), 20));
  const nar = archive(Buffer.from(text));
  return {
    path: `${storeDir}/${hash}-${name}`,
    hash,
    nar,
    narHash: `sha256:${sha256(nar).toString("hex")}`,
  };
}

/** The archive of one file, in Nix's own format: words with their length before them, filled up to 8 bytes. */
export function archive(content: Buffer): Buffer {
  const words = ["nix-archive-1", "(", "type", "regular", "contents", content, ")"];
  return Buffer.concat(
    words.map((word) => {
      const bytes = Buffer.from(word);
      const length = Buffer.alloc(8);
      length.writeBigUInt64LE(BigInt(bytes.length));
      return Buffer.concat([length, bytes, Buffer.alloc((8 - (bytes.length % 8)) % 8)]);
    }),
  );
}

/** A hash made shorter as Nix does it: what is too long is laid over the beginning. */
function folded(hash: Buffer, length: number): Buffer {
  const short = Buffer.alloc(length);
  for (const [index, byte] of hash.entries()) short[index % length] = (short[index % length] ?? 0) ^ byte;
  return short;
}

function sha256(bytes: string | Buffer): Buffer {
  return createHash("sha256").update(bytes).digest();
}
