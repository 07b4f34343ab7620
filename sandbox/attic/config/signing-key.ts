import { createPrivateKey, createPublicKey, createSecretKey, type KeyObject } from "node:crypto";
import { UserError } from "../../support/user-error.ts";
import { decodeBase64 } from "./base64.ts";

/** What tokens are checked with. */
export interface VerificationKey {
  algorithm: "RS256" | "HS256";
  key: KeyObject;
}

/** Where a key may stand, in the order in which Attic looks: keys of [jwt.signing], then variables. */
const SOURCES = [
  ["token-rs256-pubkey-base64", "ATTIC_SERVER_TOKEN_RS256_PUBKEY_BASE64", "RS256", publicKey],
  ["token-rs256-secret-base64", "ATTIC_SERVER_TOKEN_RS256_SECRET_BASE64", "RS256", privateKey],
  ["token-hs256-secret-base64", "ATTIC_SERVER_TOKEN_HS256_SECRET_BASE64", "HS256", createSecretKey],
] as const;

/**
 * @param signing the table [jwt.signing], where there is one.
 * @throws UserError that names the place and never shows what stands there.
 */
export function readSigningKey(
  signing: Readonly<Record<string, unknown>> | undefined,
  env: NodeJS.ProcessEnv,
): VerificationKey {
  if (signing !== undefined && Object.keys(signing).length !== 1)
    throw new UserError("[jwt.signing] holds one key, and no more.");
  for (const [key, variable, algorithm, parse] of SOURCES) {
    const [place, text] =
      signing === undefined
        ? ([variable, env[variable]] as const)
        : ([`[jwt.signing] ${key}`, signing[key]] as const);
    if (typeof text !== "string" || (signing === undefined && text === "")) continue;
    const bytes = decodeBase64(text);
    if (bytes === undefined)
      throw new UserError(`${place} is not base64 in one piece: no line break may stand in it or after it.`);
    try {
      return { algorithm, key: parse(bytes) };
    } catch {
      // What OpenSSL says could quote the key.
      throw new UserError(`${place} is the base64 of something that is no ${algorithm} key.`);
    }
  }
  throw new UserError(
    `No key to check tokens with: set one of ${SOURCES.map(([, variable]) => variable).join(", ")}.`,
  );
}

function privateKey(pem: Buffer): KeyObject {
  return createPublicKey(createPrivateKey(pem.toString().trim()));
}

function publicKey(pem: Buffer): KeyObject {
  // createPublicKey would take a private key too.
  if (!pem.toString().includes("PUBLIC KEY")) throw new Error("not a public key");
  return createPublicKey(pem.toString().trim());
}
