import { createHmac, createPrivateKey, createPublicKey, sign } from "node:crypto";
import type { TokenKey } from "../../../components/attic/token.ts";

/** Any token at all, also such as no honest program makes. */
export function forge(
  key: TokenKey,
  payload: Readonly<Record<string, unknown>>,
  header: Readonly<Record<string, unknown>> = {},
): string {
  const signed = `${encode({ alg: key.algorithm, typ: "JWT", ...header })}.${encode(payload)}`;
  return `${signed}.${signatureOf(key, signed)}`;
}

/** A token with a header of one's own and no signature. */
export function unsigned(header: Readonly<Record<string, unknown>>, payload: unknown): string {
  return `${encode(header)}.${encode(payload)}.`;
}

/** A token that is signed by the text of the public key, which who checks with that very key might fall for. */
export function signedByPublicKey({ secret }: TokenKey, payload: unknown): string {
  const pem = createPublicKey(Buffer.from(secret, "base64").toString()).export({
    type: "spki",
    format: "pem",
  });
  const signed = `${encode({ alg: "HS256", typ: "JWT" })}.${encode(payload)}`;
  return `${signed}.${createHmac("sha256", pem).update(signed).digest("base64url")}`;
}

/** The same claims under another algorithm of the same family, signed as that wants it. */
export function signedWith512(key: TokenKey, payload: unknown): string {
  const algorithm = key.algorithm === "RS256" ? "RS512" : "HS512";
  const signed = `${encode({ alg: algorithm, typ: "JWT" })}.${encode(payload)}`;
  return `${signed}.${signatureOf(key, signed, "512")}`;
}

function signatureOf({ algorithm, secret }: TokenKey, text: string, bits: "256" | "512" = "256"): string {
  const bytes = Buffer.from(secret, "base64");
  return algorithm === "HS256"
    ? createHmac(`sha${bits}`, bytes).update(text).digest("base64url")
    : sign(`RSA-SHA${bits}`, Buffer.from(text), createPrivateKey(bytes.toString())).toString("base64url");
}

function encode(value: unknown): string {
  return Buffer.from(JSON.stringify(value)).toString("base64url");
}
