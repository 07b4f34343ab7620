import { createHmac, createPrivateKey, createPublicKey, generateKeyPairSync, randomBytes } from "node:crypto";

export const KEYPAIR_RULE =
  "name:base64 of a 64 byte ed25519 key, as `nix key generate-secret --key-name NAME` writes it";

/** An ed25519 key as Nix writes it: the private half and then the public one, of 32 bytes each. */
const HALF = 32;
/** What stands before the private half in PKCS#8 (RFC 8410, section 7). */
const PKCS8 = Buffer.from("302e020100300506032b657004220420", "hex");

/** Whether a text is a signing key of Nix whose two halves belong together. */
export function isKeypair(text: string): boolean {
  return read(text).fault === undefined;
}

/** What is wrong with a keypair, in words that quote nothing of it; undefined where nothing is. */
export function keypairFault(text: string): string | undefined {
  return read(text).fault;
}

/** The public key of a keypair, as it stands in nix.conf; undefined where it is no keypair. */
export function publicKeyOf(keypair: string): string | undefined {
  return read(keypair).publicKey;
}

function read(keypair: string): { publicKey: string; fault?: never } | { publicKey?: never; fault: string } {
  const [, name = "", payload = ""] = /^([^\s:]{1,255}):([A-Za-z0-9+/]+={0,2})$/.exec(keypair) ?? [];
  const bytes = Buffer.from(payload, "base64");
  // Node is easy about padding, Attic is not.
  if (payload === "" || bytes.toString("base64") !== payload)
    return { fault: "it is not a name, a colon and base64" };
  if (bytes.length === HALF) return { fault: "it has 32 bytes, as a public key has" };
  if (bytes.length !== 2 * HALF) return { fault: "it has not 64 bytes" };
  const key = Buffer.concat([PKCS8, bytes.subarray(0, HALF)]);
  const privateKey = createPrivateKey({ key, format: "der", type: "pkcs8" });
  const publicHalf = createPublicKey(privateKey).export({ format: "der", type: "spki" }).subarray(-HALF);
  // Attic believes the second half, and then signs what nobody can verify.
  if (!publicHalf.equals(bytes.subarray(HALF)))
    return { fault: "its public half is not that of its private half" };
  return { publicKey: `${name}:${publicHalf.toString("base64")}` };
}

/** Makes a keypair. @param name of the key, which clients see before the colon. */
export function generateKeypair(name: string): string {
  const { privateKey } = generateKeyPairSync("ed25519");
  const { d = "", x = "" } = privateKey.export({ format: "jwk" });
  const bytes = Buffer.concat([Buffer.from(d, "base64url"), Buffer.from(x, "base64url")]);
  return `${name}:${bytes.toString("base64")}`;
}

/**
 * How the names of the keys begin that a stack gives to a cache of its own. By it a stack knows a cache again whose
 * making was cut short before the engine could write it down, and no other stack has one like it: it depends on the
 * signing key of the stack's tokens.
 *
 * @param signingKey secret; cannot be told from the mark.
 * @param owner what tells apart the resources that use one signing key, such as project and stack.
 */
export function ownMark(signingKey: string, owner: string, cache: string): string {
  const mark = createHmac("sha256", signingKey).update(`attic-stack cache\0${owner}\0${cache}`).digest("hex");
  return `${cache}-${mark.slice(0, 8)}`;
}

/**
 * A name for a new key. A cache that is made again gets a key of another name: of two keys that have one name, Nix
 * knows only the first that it reads.
 */
export function newKeyName(mark: string): string {
  return `${mark}-${randomBytes(3).toString("hex")}`;
}

/** Whether a public key has a mark, with what tells it from others or, as version 0.1.0 made it, without. */
export function hasMark(publicKey: string, mark: string): boolean {
  const [name = ""] = publicKey.split(":");
  return name === mark || name.startsWith(`${mark}-`);
}
