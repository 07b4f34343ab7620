import type { CryptoKey } from "@cloudflare/workers-types";
import { decodeBase64 } from "./base64.ts";
import { crypto } from "./platform.ts";

/** How the server signs: RSASSA-PKCS1-v1_5 with SHA-256. A key that is imported for this can be used for nothing else. */
export const RS256 = { name: "RSASSA-PKCS1-v1_5", hash: "SHA-256" } as const;

/** @throws Error where it is no public RSA key as SPKI in PEM. */
export async function importKey(pem: string): Promise<CryptoKey> {
  const [, base64] = /^\s*-----BEGIN PUBLIC KEY-----([^-]+)-----END PUBLIC KEY-----\s*$/.exec(pem) ?? [];
  const bytes = decodeBase64(base64?.replace(/\s/g, "") ?? "");
  try {
    return await crypto.subtle.importKey("spki", bytes ?? new Uint8Array(), RS256, false, ["verify"]);
  } catch {
    throw new Error("CONFIG: token.publicKey is no RSA public key (SPKI, as PEM)");
  }
}
