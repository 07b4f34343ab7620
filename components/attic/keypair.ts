import { createHmac, createPrivateKey, createPublicKey, generateKeyPairSync } from "node:crypto";

export const KEYPAIR_RULE =
  "name:base64 of a 64 byte ed25519 key, as `nix key generate-secret --key-name NAME` writes it";

/** What goes before the 32 bytes of an ed25519 private key in PKCS#8 form (RFC 8410, section 7). */
const PKCS8 = Buffer.from("302e020100300506032b657004220420", "hex");

/** Whether a text is a signing key of Nix whose two halves belong together. */
export function isKeypair(text: string): boolean {
  return publicKeyOf(text) !== undefined;
}

/**
 * The public key of a keypair, as it stands in nix.conf.
 *
 * @param keypair `name:base64`, where the bytes are the private key and then the public one.
 * @returns undefined where it is no keypair.
 */
export function publicKeyOf(keypair: string): string | undefined {
  const [, name, payload] = /^([^:\s]+):([A-Za-z0-9+/]{86}==)$/.exec(keypair) ?? [];
  if (name === undefined || payload === undefined) return undefined;
  const bytes = Buffer.from(payload, "base64");
  const key = createPrivateKey({
    key: Buffer.concat([PKCS8, bytes.subarray(0, 32)]),
    format: "der",
    type: "pkcs8",
  });
  const publicKey = createPublicKey(key).export({ format: "der", type: "spki" }).subarray(-32);
  return publicKey.equals(bytes.subarray(32)) ? `${name}:${publicKey.toString("base64")}` : undefined;
}

/** Makes a keypair. @param name of the key, which clients see before the colon. */
export function generateKeypair(name: string): string {
  const { privateKey } = generateKeyPairSync("ed25519");
  const { d = "", x = "" } = privateKey.export({ format: "jwk" });
  const bytes = Buffer.concat([Buffer.from(d, "base64url"), Buffer.from(x, "base64url")]);
  return `${name}:${bytes.toString("base64")}`;
}

/**
 * The name of the key that a stack gives to a cache of its own. By it a stack knows a cache again whose making was
 * cut short before the engine could write it down, and no other stack has one like it: it depends on the
 * signing key of the stack's tokens.
 *
 * @param signingKey secret; cannot be told from the name.
 * @param owner what tells apart the resources that use one signing key, such as project and stack.
 */
export function ownKeyName(signingKey: string, owner: string, cache: string): string {
  const mark = createHmac("sha256", signingKey).update(`attic-stack cache\0${owner}\0${cache}`).digest("hex");
  return `${cache}-${mark.slice(0, 8)}`;
}
