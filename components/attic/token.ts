import { createHmac, createPrivateKey, type KeyObject } from "node:crypto";
import { isCachePattern, PATTERN_RULE } from "./names.ts";
import { CLAIM, type Permission, PERMISSIONS, type Permissions, toClaim } from "./permissions.ts";

/** The key that signs, as Attic's own variables take it. */
export interface TokenKey {
  algorithm: "RS256" | "HS256";
  /** Base64 of a PKCS#1 PEM for RS256, of the bytes themselves for HS256. Secret. */
  secret: string;
}

/** Tells one signing key from another, and says nothing of it. */
export function keyIdOf({ algorithm, secret }: TokenKey): string {
  return createHmac("sha256", secret).update(`attic-stack key ${algorithm}`).digest("hex").slice(0, 16);
}

export interface TokenRequest {
  /** Who it is for: the `sub` claim. */
  subject: string;
  permissions: Permissions;
  /** When it ends, in seconds since 1970. */
  expiresAt: number;
  /** When it begins, in seconds since 1970; without it, at once, also on a server whose clock is slow. */
  notBefore?: number;
  issuer?: string;
  audiences?: readonly string[];
}

/** Smallest HMAC key that HS256 should have, in bytes (RFC 7518, section 3.2). */
const SMALLEST_HMAC_KEY = 32;

/**
 * Signs a token, with no server asked.
 *
 * It says neither when it was made nor, unless told, from when on it holds: Attic allows no difference between
 * clocks, so a fresh token would be refused by a server that is a second behind.
 *
 * @throws Error with everything that is wrong with the request, before anything is signed, and never the key.
 */
export async function signToken(key: TokenKey, request: TokenRequest): Promise<string> {
  const faults = tokenFaults(request);
  if (faults.length > 0)
    throw new Error(`The token for ${request.subject || "nobody"} cannot be made: ${faults.join("; ")}.`);

  const { subject, permissions, expiresAt, notBefore, issuer, audiences } = request;
  // Most runs sign nothing.
  const { SignJWT } = await import("jose");
  const token = new SignJWT({ [CLAIM]: toClaim(permissions) })
    .setProtectedHeader({ alg: key.algorithm, typ: "JWT" })
    .setSubject(subject)
    .setExpirationTime(expiresAt);
  if (notBefore !== undefined) token.setNotBefore(notBefore);
  if (issuer !== undefined) token.setIssuer(issuer);
  if (audiences !== undefined) token.setAudience([...audiences]);
  return await token.sign(signingKey(key));
}

/** What is wrong with a request for a token: bad patterns, unknown permissions, or none at all. */
export function tokenFaults({ subject, permissions, expiresAt, notBefore }: TokenRequest): string[] {
  const entries = Object.entries(permissions);
  return [
    ...(subject === "" ? ["it has no subject"] : []),
    ...(entries.length === 0 ? ["it grants nothing on any cache"] : []),
    ...entries.flatMap(([pattern, granted]) => [
      ...(isCachePattern(pattern)
        ? []
        : [`${JSON.stringify(pattern)} is not a cache name or pattern (${PATTERN_RULE})`]),
      ...(granted.length === 0 ? [`it grants nothing on ${pattern}`] : []),
      ...granted
        .filter((name) => !isPermission(name))
        .map(
          (name) => `${JSON.stringify(name)} is not a permission (${Object.keys(PERMISSIONS).join(", ")})`,
        ),
    ]),
    ...(Number.isSafeInteger(expiresAt) && expiresAt > 0 ? [] : ["it has no end"]),
    ...(notBefore !== undefined && notBefore >= expiresAt ? ["it would end before it begins"] : []),
  ];
}

function isPermission(name: string): name is Permission {
  return Object.hasOwn(PERMISSIONS, name);
}

/** To read a key takes as long as to sign with it. */
const keys = new WeakMap<TokenKey, KeyObject | Uint8Array>();

function signingKey(key: TokenKey): KeyObject | Uint8Array {
  const known = keys.get(key) ?? readKey(key);
  keys.set(key, known);
  return known;
}

function readKey({ algorithm, secret }: TokenKey): KeyObject | Uint8Array {
  const bytes = Buffer.from(secret, "base64");
  if (algorithm === "HS256") {
    if (bytes.length < SMALLEST_HMAC_KEY)
      throw new Error(
        `The signing key has ${bytes.length} bytes, and HS256 needs ${SMALLEST_HMAC_KEY} or more.`,
      );
    return bytes;
  }
  try {
    return createPrivateKey(bytes.toString());
  } catch {
    // What OpenSSL says could quote the key.
    throw new Error("The signing key is not the base64 of an RSA private key in PEM form.");
  }
}
