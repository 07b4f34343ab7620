import { createHash, randomBytes, randomInt } from "node:crypto";
import { toNixBase32 } from "../../../sandbox/attic/nix/base32.ts";
import { archive } from "../../../sandbox/welcome/store-path.ts";

/** A path that can be pushed, as a client describes it. */
export interface Path {
  hash: string;
  nar: Buffer;
  info: Record<string, unknown>;
}

/** A path that no store has: one file of so many bytes, with what is put in place of its usual description. */
export function makePath(cache: string, size: number, more: Readonly<Record<string, unknown>> = {}): Path {
  return pathOf(cache, archive(randomBytes(size)), more);
}

/** A path with that NAR, under a name that nothing else has. */
export function pathOf(cache: string, nar: Buffer, more: Readonly<Record<string, unknown>> = {}): Path {
  const hash = toNixBase32(randomBytes(20));
  const info = {
    cache,
    store_path_hash: hash,
    store_path: `/nix/store/${hash}-contract-${randomInt(1000)}`,
    references: [],
    system: null,
    deriver: null,
    sigs: [],
    ca: null,
    nar_hash: sha256(nar),
    nar_size: nar.length,
    ...more,
  };
  return { hash, nar, info };
}

/** `sha256:` and 64 hexadecimal digits. */
export function sha256(bytes: Buffer): string {
  return `sha256:${createHash("sha256").update(bytes).digest("hex")}`;
}
