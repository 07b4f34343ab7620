import { createHash, createPrivateKey, createPublicKey, generateKeyPair, type KeyObject } from "node:crypto";
import { promisify } from "node:util";
import { asText, type Properties } from "../../../provider/protocol/values.ts";
import { openSshPrivateKey, openSshPublicKey } from "./open-ssh.ts";

/** Curves of the input `ecdsaCurve`, by the names that Node gives them. */
const CURVES: Readonly<Record<string, string>> = {
  P224: "secp224r1",
  P256: "prime256v1",
  P384: "secp384r1",
  P521: "secp521r1",
};

const generate = promisify(generateKeyPair);

/** Makes a key of the inputs `algorithm`, `ecdsaCurve` and `rsaBits`. */
export async function makeKey({ algorithm, ecdsaCurve, rsaBits }: Properties): Promise<KeyObject> {
  switch (algorithm) {
    case "RSA":
      return (await generate("rsa", { modulusLength: Number(rsaBits) })).privateKey;
    case "ECDSA": {
      const namedCurve = CURVES[asText(ecdsaCurve)] ?? "";
      return (await generate("ec", { namedCurve })).privateKey;
    }
    default:
      return (await generate("ed25519", {})).privateKey;
  }
}

/** Every form of a key that the resource PrivateKey has as an output. */
export function keyOutputs(key: KeyObject): Properties {
  const publicKey = createPublicKey(key);
  const ssh = openSshPublicKey(publicKey);
  return {
    privateKeyPem: pemOf(key),
    privateKeyPemPkcs8: key.export({ type: "pkcs8", format: "pem" }).toString(),
    privateKeyOpenssh: openSshPrivateKey(key) ?? "",
    publicKeyPem: publicKey.export({ type: "spki", format: "pem" }).toString(),
    publicKeyOpenssh: ssh === undefined ? "" : `${ssh.type} ${ssh.blob.toString("base64")}\n`,
    publicKeyFingerprintMd5: ssh === undefined ? "" : md5(ssh.blob),
    publicKeyFingerprintSha256:
      ssh === undefined ? "" : `SHA256:${digest("sha256", ssh.blob).toString("base64").replace(/=+$/, "")}`,
  };
}

/** The traditional form of each algorithm: PKCS#1 for RSA, SEC 1 for ECDSA; Ed25519 has none but PKCS#8. */
function pemOf(key: KeyObject): string {
  const type = key.asymmetricKeyType === "rsa" ? "pkcs1" : key.asymmetricKeyType === "ec" ? "sec1" : "pkcs8";
  return key.export({ type, format: "pem" }).toString();
}

/** The id of a resource that is a key, or a certificate request of one. */
export function keyId(key: KeyObject): string {
  const der = createPublicKey(key).export({ type: "spki", format: "der" });
  return digest("sha1", der).toString("hex");
}

/** The name that the outputs `keyAlgorithm` have for a key. */
export function algorithmOf(key: KeyObject): string {
  const names: Record<string, string> = { rsa: "RSA", ec: "ECDSA", ed25519: "ED25519" };
  return names[key.asymmetricKeyType ?? ""] ?? "";
}

/** @throws Error that says which input is no key, and nothing of what it is. */
export function parseKey(pem: unknown, input: string): KeyObject {
  try {
    return createPrivateKey(String(pem));
  } catch {
    throw new Error(`${input} is not a private key in PEM`);
  }
}

function digest(algorithm: string, data: Buffer): Buffer {
  return createHash(algorithm).update(data).digest();
}

function md5(data: Buffer): string {
  return (digest("md5", data).toString("hex").match(/../g) ?? []).join(":");
}
