import { createPrivateKey, generateKeyPairSync, sign } from "node:crypto";
import { decodeBase64 } from "../config/base64.ts";

/** What stands before the seed of an Ed25519 key in PKCS#8 (RFC 8410). */
const PKCS8_HEAD = Buffer.from("302e020100300506032b657004220420", "hex");
const SEED = 32;

/** Whether a text is `name:base64` of 64 bytes, the seed and the public key, as Nix writes signing keys. */
export function isKeypair(text: string): boolean {
  const { name, bytes } = split(text);
  return name !== "" && bytes?.length === 2 * SEED;
}

export function generateKeypair(name: string): string {
  const { d = "", x = "" } = generateKeyPairSync("ed25519").privateKey.export({ format: "jwk" });
  const bytes = Buffer.concat([Buffer.from(d, "base64url"), Buffer.from(x, "base64url")]);
  return `${name}:${bytes.toString("base64")}`;
}

export function publicKeyOf(keypair: string): string {
  const { name, bytes } = split(keypair);
  return `${name}:${bytes?.subarray(SEED).toString("base64") ?? ""}`;
}

/** @returns `name:signature`, as it stands in a narinfo. */
export function signWith(keypair: string, message: string): string {
  const { name, bytes = Buffer.alloc(0) } = split(keypair);
  const key = createPrivateKey({
    key: Buffer.concat([PKCS8_HEAD, bytes.subarray(0, SEED)]),
    format: "der",
    type: "pkcs8",
  });
  return `${name}:${sign(null, Buffer.from(message), key).toString("base64")}`;
}

function split(text: string): { name: string; bytes: Buffer | undefined } {
  const [, name = "", payload = ""] = /^([^:]+):(.*)$/s.exec(text) ?? [];
  return { name, bytes: decodeBase64(payload) };
}
