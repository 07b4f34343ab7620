const DIGITS = "0123456789abcdfghijklmnpqrsvwxyz";

/** @returns a SHA-256 in Nix's base 32, out of either form in which it stands in a narinfo; undefined where it is none. */
export function readSha256(text: string): string | undefined {
  const [, hash = ""] = /^sha256:([0-9a-z]+)$/.exec(text) ?? [];
  if (/^[0-9abcdfghijklmnpqrsvwxyz]{52}$/.test(hash)) return hash;
  return /^[0-9a-f]{64}$/.test(hash) ? toBase32(hash) : undefined;
}

/** The bytes are one number, the last of them its highest, and the digits begin with its highest. */
function toBase32(hex: string): string {
  let rest = BigInt(`0x${(hex.match(/../g) ?? []).reverse().join("")}`);
  let text = "";
  while (text.length < 52) {
    text = `${DIGITS[Number(rest & 31n)] ?? ""}${text}`;
    rest >>= 5n;
  }
  return text;
}
