/** Nix's own alphabet: no e, o, t and u. */
const ALPHABET = "0123456789abcdfghijklmnpqrsvwxyz";

/** Bytes as Nix writes them: base 32, read from the last bit to the first. */
export function toBase32(bytes: Uint8Array): string {
  const length = Math.ceil((bytes.length * 8) / 5);
  let text = "";
  for (let place = length - 1; place >= 0; place -= 1) {
    const bit = place * 5;
    const word = (bytes[bit >> 3] ?? 0) | ((bytes[(bit >> 3) + 1] ?? 0) << 8);
    text += ALPHABET.charAt((word >> (bit & 7)) & 31);
  }
  return text;
}

/** @returns the hash of a NAR in base 32, from `sha256:` and 64 hexadecimal or 52 digits; undefined where it is none. */
export function narHashOf(text: string): string | undefined {
  const [, digest = ""] = /^sha256:(.*)$/s.exec(text) ?? [];
  if (/^[0-9a-f]{64}$/.test(digest)) return toBase32(Buffer.from(digest, "hex"));
  return /^[01][0-9abcdfghijklmnpqrsvwxyz]{51}$/.test(digest) ? digest : undefined;
}

/** The bytes of such a hash. */
export function fromBase32(text: string): Buffer {
  const bytes = Buffer.alloc(Math.floor((text.length * 5) / 8) + 1);
  for (let index = 0; index < text.length; index += 1) {
    const bit = index * 5;
    const value = ALPHABET.indexOf(text.charAt(text.length - 1 - index)) << (bit & 7);
    bytes[bit >> 3] = (bytes[bit >> 3] ?? 0) | (value & 0xff);
    if (value > 0xff) bytes[(bit >> 3) + 1] = (bytes[(bit >> 3) + 1] ?? 0) | (value >> 8);
  }
  return bytes.subarray(0, -1);
}
