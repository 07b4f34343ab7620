import { createPublicKey, verify } from "node:crypto";
import { dirname } from "node:path";
import { toNixBase32 } from "../../../sandbox/attic/nix/base32.ts";

/** What stands before an Ed25519 public key in SPKI (RFC 8410). */
const SPKI_HEAD = Buffer.from("302a300506032b6570032100", "hex");

/** The fields of a narinfo, in their order. */
export function parseNarInfo(text: string): Record<string, string> {
  const lines = text.split("\n");
  if (lines.pop() !== "") throw new Error("A narinfo ends with a line break.");
  return Object.fromEntries(lines.map((line) => splitAt(line, ": ")));
}

/** Whether a narinfo is signed by the cache with that public key, as Nix checks it. */
export function isSignedBy(narInfo: Readonly<Record<string, string>>, publicKey: string): boolean {
  const { StorePath = "", NarHash = "", NarSize = "", References = "", Sig = "" } = narInfo;
  const hash = toNixBase32(Buffer.from(NarHash.replace(/^sha256:/, ""), "hex"));
  const references = References.split(" ").filter((name) => name !== "");
  const paths = references.map((name) => `${dirname(StorePath)}/${name}`);
  const message = `1;${StorePath};sha256:${hash};${NarSize};${paths.join(",")}`;

  const [signer, signature] = splitAt(Sig, ":");
  const [name, key] = splitAt(publicKey, ":");
  const spki = Buffer.concat([SPKI_HEAD, Buffer.from(key, "base64")]);
  const verifier = createPublicKey({ key: spki, format: "der", type: "spki" });
  return signer === name && verify(null, Buffer.from(message), verifier, Buffer.from(signature, "base64"));
}

function splitAt(text: string, mark: string): [string, string] {
  const place = text.indexOf(mark);
  if (place < 0) throw new Error(`There is no ${JSON.stringify(mark)} in ${JSON.stringify(text)}.`);
  return [text.slice(0, place), text.slice(place + mark.length)];
}
