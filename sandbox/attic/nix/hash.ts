import { fromNixBase32 } from "./base32.ts";

const BYTES = 32;

/** @returns a hash as Attic keeps it, `sha256:` and 64 hexadecimal digits, or undefined where the text is none. */
export function readNarHash(text: string): string | undefined {
  const [, digest = ""] = /^sha256:(.*)$/s.exec(text) ?? [];
  if (/^[0-9a-fA-F]{64}$/.test(digest)) return `sha256:${digest.toLowerCase()}`;
  const bytes = fromNixBase32(digest, BYTES);
  return bytes && `sha256:${bytes.toString("hex")}`;
}
