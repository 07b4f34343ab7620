import { createPublicKey, randomBytes, type KeyObject } from "node:crypto";

/** A public key as SSH writes it: the words before and the bytes after the first space of its line. */
export interface SshPublicKey {
  type: string;
  blob: Buffer;
}

/** The curves that SSH knows, by their names in a JSON Web Key. P-224 is not among them. */
const CURVES: Readonly<Record<string, string>> = {
  "P-256": "nistp256",
  "P-384": "nistp384",
  "P-521": "nistp521",
};

/** A public key in SSH's form; undefined for a key that SSH has no form for. */
export function openSshPublicKey(key: KeyObject): SshPublicKey | undefined {
  switch (key.asymmetricKeyType) {
    case "rsa": {
      const { e, n } = key.export({ format: "jwk" });
      return named("ssh-rsa", [integer(e), integer(n)]);
    }
    case "ed25519": {
      const { x } = key.export({ format: "jwk" });
      return named("ssh-ed25519", [string(bytes(x))]);
    }
    case "ec": {
      const point = ecPoint(key);
      return point && named(`ecdsa-sha2-${point.curve}`, [string(point.curve), string(point.q)]);
    }
    default:
      return undefined;
  }
}

/** A private key in the format of `ssh-keygen`, not encrypted; undefined where SSH has no form for it. */
export function openSshPrivateKey(key: KeyObject): string | undefined {
  const publicKey = openSshPublicKey(createPublicKey(key));
  if (!publicKey) return undefined;
  const check = randomBytes(4);
  const body = Buffer.concat([check, check, string(publicKey.type), ...privateParts(key), string("")]);
  const padding = Buffer.from(Array.from({ length: (8 - (body.length % 8)) % 8 }, (_, index) => index + 1));
  const whole = Buffer.concat([
    Buffer.from("openssh-key-v1\0"),
    string("none"),
    string("none"),
    string(""),
    uint32(1),
    string(publicKey.blob),
    string(Buffer.concat([body, padding])),
  ]);
  const lines = whole.toString("base64").match(/.{1,64}/g) ?? [];
  return ["-----BEGIN OPENSSH PRIVATE KEY-----", ...lines, "-----END OPENSSH PRIVATE KEY-----", ""].join(
    "\n",
  );
}

function privateParts(key: KeyObject): Buffer[] {
  if (key.asymmetricKeyType === "ec") {
    const point = ecPoint(key);
    const { d } = key.export({ format: "jwk" });
    return point ? [string(point.curve), string(point.q), integer(d)] : [];
  }
  const { n, e, d, p, q, qi, x } = key.export({ format: "jwk" });
  if (key.asymmetricKeyType === "rsa") return [n, e, d, qi, p, q].map(integer);
  return [string(bytes(x)), string(Buffer.concat([bytes(d), bytes(x)]))];
}

/** Node has no JSON Web Key for P-224, and SSH no name: both are undefined here. */
function ecPoint(key: KeyObject): { curve: string; q: Buffer } | undefined {
  if (key.asymmetricKeyDetails?.namedCurve === "secp224r1") return undefined;
  const { crv, x, y } = key.export({ format: "jwk" });
  const curve = CURVES[crv ?? ""];
  return curve === undefined
    ? undefined
    : { curve, q: Buffer.concat([Buffer.from([4]), bytes(x), bytes(y)]) };
}

function named(type: string, parts: Buffer[]): SshPublicKey {
  return { type, blob: Buffer.concat([string(type), ...parts]) };
}

function bytes(base64url: string | undefined): Buffer {
  return Buffer.from(base64url ?? "", "base64url");
}

function uint32(value: number): Buffer {
  const buffer = Buffer.alloc(4);
  buffer.writeUInt32BE(value);
  return buffer;
}

function string(value: string | Buffer): Buffer {
  const buffer = Buffer.from(value);
  return Buffer.concat([uint32(buffer.length), buffer]);
}

/** A positive number of any size: no zero bytes before it but the one that keeps it positive. */
function integer(base64url: string | undefined): Buffer {
  let buffer = bytes(base64url);
  while (buffer.length > 1 && buffer[0] === 0) buffer = buffer.subarray(1);
  return string((buffer[0] ?? 0) >= 128 ? Buffer.concat([Buffer.from([0]), buffer]) : buffer);
}
