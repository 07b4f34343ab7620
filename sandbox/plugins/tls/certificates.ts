// x509's container of algorithms wants this polyfill before anything of x509 is loaded.
import "reflect-metadata";
import { createHash, createPublicKey, randomBytes, webcrypto, type KeyObject } from "node:crypto";
import * as x509 from "@peculiar/x509";
import { asText, isObject, type Properties, type Value } from "../../../provider/protocol/values.ts";
import { EXTENDED_KEY_USAGES, KEY_USAGES } from "./uses.ts";

/** The parts of a name, in the order in which Go writes them. */
const NAME_PARTS: readonly [input: string, oid: string][] = [
  ["country", "2.5.4.6"],
  ["organization", "2.5.4.10"],
  ["organizationalUnit", "2.5.4.11"],
  ["locality", "2.5.4.7"],
  ["province", "2.5.4.8"],
  ["streetAddresses", "2.5.4.9"],
  ["postalCode", "2.5.4.17"],
  ["commonName", "2.5.4.3"],
  ["serialNumber", "2.5.4.5"],
  ["emailAddress", "1.2.840.113549.1.9.1"],
];

/** A certificate that was made, with what the state says of it. */
export interface Certificate {
  id: string;
  computed: Properties;
}

/** Issues a certificate that its own key signs, of the inputs of SelfSignedCert. */
export async function selfSigned(inputs: Properties, key: KeyObject): Promise<Certificate> {
  const name = toName(inputs.subject);
  const publicKey = publicDer(key);
  const extensions = [
    ...alternativeNames(inputs),
    ...(inputs.setAuthorityKeyId === true ? [authorityKeyId(key)] : []),
  ];
  return issue(inputs, { subject: name, issuer: name, publicKey, signer: key, extensions });
}

/** Issues a certificate for a request, signed by an authority, of the inputs of LocallySignedCert. */
export async function locallySigned(inputs: Properties, authorityKey: KeyObject): Promise<Certificate> {
  const request = new x509.Pkcs10CertificateRequest(asText(inputs.certRequestPem));
  if (!(await request.verify())) throw new Error("certRequestPem is not signed by the key that it names");
  const authority = new x509.X509Certificate(asText(inputs.caCertPem));
  if (!Buffer.from(authority.publicKey.rawData).equals(publicDer(authorityKey))) {
    throw new Error("caPrivateKeyPem is not the key of caCertPem");
  }
  const names = request.extensions.filter((item) => item instanceof x509.SubjectAlternativeNameExtension);
  const keyId = authority.getExtension(x509.SubjectKeyIdentifierExtension)?.keyId;
  return issue(inputs, {
    subject: request.subjectName,
    issuer: authority.subjectName,
    publicKey: Buffer.from(request.publicKey.rawData),
    signer: authorityKey,
    extensions: [...names, ...(keyId === undefined ? [] : [new x509.AuthorityKeyIdentifierExtension(keyId)])],
  });
}

/** Makes a certificate request in PEM, of the inputs of CertRequest. */
export async function certificateRequest(inputs: Properties, key: KeyObject): Promise<string> {
  const algorithm = algorithmOf(key);
  const privateKey = await importKey(key, algorithm);
  const publicKey = await webcrypto.subtle.importKey("spki", publicDer(key), algorithm, true, ["verify"]);
  const request = await x509.Pkcs10CertificateRequestGenerator.create({
    name: toName(inputs.subject),
    keys: { privateKey, publicKey },
    signingAlgorithm: algorithm,
    extensions: alternativeNames(inputs),
  });
  return `${request.toString("pem")}\n`;
}

interface Draft {
  subject: x509.Name;
  issuer: x509.Name;
  publicKey: Buffer;
  signer: KeyObject;
  extensions: x509.Extension[];
}

async function issue(inputs: Properties, draft: Draft): Promise<Certificate> {
  const algorithm = algorithmOf(draft.signer);
  // A serial number is positive: the first bit stays zero, and the first byte is not.
  const serial = randomBytes(16);
  serial[0] = ((serial[0] ?? 0) & 0x7f) | 0x40;
  const notBefore = new Date(Math.floor(Date.now() / 1000) * 1000);
  const notAfter = new Date(notBefore.getTime() + Number(inputs.validityPeriodHours) * 3_600_000);
  const authority = inputs.isCaCertificate === true;
  const length =
    typeof inputs.maxPathLength === "number" && inputs.maxPathLength >= 0 ? inputs.maxPathLength : undefined;
  const certificate = await x509.X509CertificateGenerator.create({
    serialNumber: serial.toString("hex"),
    subject: draft.subject,
    issuer: draft.issuer,
    notBefore,
    notAfter,
    publicKey: draft.publicKey,
    signingKey: await importKey(draft.signer, algorithm),
    signingAlgorithm: algorithm,
    extensions: [
      ...usages(inputs.allowedUses),
      new x509.BasicConstraintsExtension(authority, authority ? length : undefined, true),
      ...(authority || inputs.setSubjectKeyId === true
        ? [new x509.SubjectKeyIdentifierExtension(keyIdentifier(draft.publicKey))]
        : []),
      ...draft.extensions,
    ],
  });
  return {
    id: BigInt(`0x${serial.toString("hex")}`).toString(),
    computed: {
      certPem: `${certificate.toString("pem")}\n`,
      readyForRenewal: false,
      validityStartTime: time(notBefore),
      validityEndTime: time(notAfter),
    },
  };
}

function toName(subject: Value | undefined): x509.Name {
  const given = isObject(subject) ? subject : {};
  const parts = NAME_PARTS.flatMap(([input, oid]) => {
    const value = given[input];
    const values = (Array.isArray(value) ? value : [value]).filter((item) => typeof item === "string");
    return values.filter((item) => item !== "").map((item) => ({ [oid]: [item] }));
  });
  return new x509.Name(parts);
}

function alternativeNames(inputs: Properties): x509.Extension[] {
  const of = (input: string, type: "dns" | "ip" | "url"): { type: "dns" | "ip" | "url"; value: string }[] => {
    const value = inputs[input];
    return Array.isArray(value) ? value.map((item) => ({ type, value: asText(item) })) : [];
  };
  const names = [...of("dnsNames", "dns"), ...of("ipAddresses", "ip"), ...of("uris", "url")];
  return names.length === 0 ? [] : [new x509.SubjectAlternativeNameExtension(names)];
}

function usages(allowed: Value | undefined): x509.Extension[] {
  const uses = Array.isArray(allowed) ? allowed.map(asText) : [];
  const flags = uses.reduce<number>((sum, use) => sum | (KEY_USAGES[use] ?? 0), 0);
  const extended = uses.flatMap((use) => EXTENDED_KEY_USAGES[use] ?? []);
  // eslint-disable-next-line @typescript-eslint/no-unsafe-enum-assignment -- several flags are no member of the enum
  const keyUsage = new x509.KeyUsagesExtension(flags, true);
  return [
    ...(flags === 0 ? [] : [keyUsage]),
    ...(extended.length === 0 ? [] : [new x509.ExtendedKeyUsageExtension(extended)]),
  ];
}

function publicDer(key: KeyObject): Buffer {
  return createPublicKey(key).export({ type: "spki", format: "der" });
}

function authorityKeyId(key: KeyObject): x509.Extension {
  return new x509.AuthorityKeyIdentifierExtension(keyIdentifier(publicDer(key)));
}

/** SHA-1 of the key's bits, without the algorithm before them (RFC 5280, 4.2.1.2). */
function keyIdentifier(publicKey: Buffer): string {
  return createHash("sha1").update(subjectPublicKey(publicKey)).digest("hex");
}

/** The bit string at the end of a SubjectPublicKeyInfo, without its count of unused bits. */
function subjectPublicKey(der: Buffer): Buffer {
  const header = (at: number): { start: number; length: number } => {
    const first = der[at + 1] ?? 0;
    if (first < 0x80) return { start: at + 2, length: first };
    const size = first & 0x7f;
    return { start: at + 2 + size, length: der.readUIntBE(at + 2, size) };
  };
  const { start } = header(0);
  const algorithm = header(start);
  const bits = header(algorithm.start + algorithm.length);
  return der.subarray(bits.start + 1, bits.start + bits.length);
}

type Algorithm = { name: string; hash: string } & Partial<{ namedCurve: string }>;

function algorithmOf(key: KeyObject): Algorithm {
  if (key.asymmetricKeyType === "rsa") return { name: "RSASSA-PKCS1-v1_5", hash: "SHA-256" };
  if (key.asymmetricKeyType === "ed25519") return { name: "Ed25519", hash: "SHA-512" };
  switch (key.asymmetricKeyDetails?.namedCurve) {
    case "prime256v1":
      return { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" };
    case "secp384r1":
      return { name: "ECDSA", namedCurve: "P-384", hash: "SHA-384" };
    case "secp521r1":
      return { name: "ECDSA", namedCurve: "P-521", hash: "SHA-512" };
    default:
      throw new Error("the sandbox's stand-in signs with RSA, Ed25519 and ECDSA on P256, P384 and P521 only");
  }
}

function importKey(key: KeyObject, algorithm: Algorithm): Promise<webcrypto.CryptoKey> {
  const der = key.export({ type: "pkcs8", format: "der" });
  return webcrypto.subtle.importKey("pkcs8", der, algorithm, true, ["sign"]);
}

function time(date: Date): string {
  return date.toISOString().replace(/\.\d+Z$/, "Z");
}
