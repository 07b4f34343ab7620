import type pulumi from "@pulumi/pulumi";
import tls from "@pulumi/tls";
import { randomHex } from "../platform/index.ts";

export type SigningAlgorithm = "RS256" | "HS256";

/** The key that signs tokens. There is one at a time, and a new one makes every token void. */
export interface SigningKey {
  readonly algorithm: SigningAlgorithm;
  /** The key in base64, as Attic's environment takes it: a PKCS#1 PEM for RS256. A secret. */
  readonly secret: pulumi.Output<string>;
  /** For RS256, the public half in PEM form (PKIX), with which an edge checks tokens. */
  readonly publicKey?: pulumi.Output<string>;
}

/** The variable in which Attic looks for the key. */
export const SIGNING_KEY_VARIABLE: Readonly<Record<SigningAlgorithm, string>> = {
  RS256: "ATTIC_SERVER_TOKEN_RS256_SECRET_BASE64",
  HS256: "ATTIC_SERVER_TOKEN_HS256_SECRET_BASE64",
};

/** Makes a key of its own for the stack; it lives in the state and in one Secret of the cluster. */
export function generateSigningKey(
  name: string,
  algorithm: SigningAlgorithm,
  opts: pulumi.CustomResourceOptions,
): SigningKey {
  if (algorithm === "HS256") {
    const key = randomHex(`${name}-hmac`, 64, opts);
    return { algorithm, secret: key.apply((hex) => Buffer.from(hex, "hex").toString("base64")) };
  }
  const key = new tls.PrivateKey(`${name}-rsa`, { algorithm: "RSA", rsaBits: 4096 }, opts);
  return {
    algorithm,
    secret: key.privateKeyPem.apply((pem) => Buffer.from(pem).toString("base64")),
    publicKey: key.publicKeyPem,
  };
}
