/** Nix' own alphabet: no e, o, u and t. */
const ALPHABET = "0123456789abcdfghijklmnpqrsvwxyz";

/** Bytes as Nix writes them: base32, read from the last bit to the first. */
export function toNixBase32(bytes: Buffer): string {
  const length = Math.ceil((bytes.length * 8) / 5);
  return Array.from({ length }, (_, index) => ALPHABET[digit(bytes, length - 1 - index)]).join("");
}

/** @returns undefined where the text is not that of so many bytes. */
export function fromNixBase32(text: string, length: number): Buffer | undefined {
  const digits = Array.from(text)
    .reverse()
    .map((character) => ALPHABET.indexOf(character));
  if (digits.length !== Math.ceil((length * 8) / 5) || digits.includes(-1)) return undefined;
  const bytes = Buffer.alloc(length + 1);
  for (const [index, value] of digits.entries()) {
    const bit = index * 5;
    const place = bit >> 3;
    bytes.writeUInt8(bytes.readUInt8(place) | ((value << (bit & 7)) & 0xff), place);
    const carry = value >> (8 - (bit & 7));
    if (carry > 0) bytes.writeUInt8(bytes.readUInt8(place + 1) | carry, place + 1);
  }
  return bytes[length] === 0 ? bytes.subarray(0, length) : undefined;
}

/** Five bits, from the lowest. */
function digit(bytes: Buffer, index: number): number {
  const bit = index * 5;
  const word = (bytes[bit >> 3] ?? 0) | ((bytes[(bit >> 3) + 1] ?? 0) << 8);
  return (word >> (bit & 7)) & 31;
}
