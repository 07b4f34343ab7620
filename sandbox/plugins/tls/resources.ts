import type { CheckFailure } from "../../../provider/protocol/provider.ts";
import type { LocalResource } from "../table.ts";
import { asText, type Properties, type Value } from "../../../provider/protocol/values.ts";
import { algorithmOf, keyId, keyOutputs, makeKey, parseKey } from "./keys.ts";
import { USES } from "./uses.ts";

// The library that writes certificates takes as long to load as all the rest: it is only loaded to issue one.
const certificates = () => import("./certificates.ts");

const privateKey: LocalResource = {
  inputs: { algorithm: null, ecdsaCurve: "P224", rsaBits: 2048 },
  computed: [
    "privateKeyOpenssh",
    "privateKeyPem",
    "privateKeyPemPkcs8",
    "publicKeyFingerprintMd5",
    "publicKeyFingerprintSha256",
    "publicKeyOpenssh",
    "publicKeyPem",
  ],
  secrets: ["privateKeyOpenssh", "privateKeyPem", "privateKeyPemPkcs8"],
  check: ({ algorithm, ecdsaCurve }) => [
    ...oneOf("algorithm", algorithm, ["RSA", "ECDSA", "ED25519"]),
    ...oneOf("ecdsaCurve", ecdsaCurve, ["P224", "P256", "P384", "P521"]),
  ],
  create: async (inputs) => {
    const key = await makeKey(inputs);
    return { id: keyId(key), computed: keyOutputs(key) };
  },
};

const certificate = {
  computed: ["certPem", "readyForRenewal", "validityEndTime", "validityStartTime"],
  updatable: ["earlyRenewalHours"],
  check: ({ allowedUses, validityPeriodHours }: Properties): CheckFailure[] => [
    ...(typeof validityPeriodHours === "number" && validityPeriodHours < 0
      ? [
          {
            property: "validityPeriodHours",
            reason: "Attribute validityPeriodHours value must be at least 0",
          },
        ]
      : []),
    ...(Array.isArray(allowedUses) ? allowedUses.flatMap((use) => oneOf("allowedUses", use, USES)) : []),
  ],
  expired: ({ earlyRenewalHours, validityEndTime }: Properties): string | undefined => {
    const early = Number(earlyRenewalHours ?? 0) * 3_600_000;
    const end = Date.parse(asText(validityEndTime)) - early;
    return Date.now() >= end ? "readyForRenewal" : undefined;
  },
};

const validity = {
  allowedUses: null,
  earlyRenewalHours: 0,
  isCaCertificate: false,
  maxPathLength: -1,
  setSubjectKeyId: false,
  validityPeriodHours: null,
};
const names = { dnsNames: null, ipAddresses: null, subject: null, uris: null };
const key = { privateKeyPem: null, privateKeyPemWo: null, privateKeyPemWoVersion: null };

const selfSignedCert: LocalResource = {
  ...certificate,
  inputs: { ...validity, ...names, ...key, setAuthorityKeyId: false },
  computed: [...certificate.computed, "keyAlgorithm"],
  secrets: ["privateKeyPem", "privateKeyPemWo"],
  create: async (inputs) => {
    const signer = parseKey(inputs.privateKeyPem ?? inputs.privateKeyPemWo, "privateKeyPem");
    const { selfSigned } = await certificates();
    const { id, computed } = await selfSigned(inputs, signer);
    return { id, computed: { ...computed, keyAlgorithm: algorithmOf(signer) } };
  },
};

const locallySignedCert: LocalResource = {
  ...certificate,
  inputs: {
    ...validity,
    caCertPem: null,
    caPrivateKeyPem: null,
    caPrivateKeyPemWo: null,
    caPrivateKeyPemWoVersion: null,
    certRequestPem: null,
  },
  computed: [...certificate.computed, "caKeyAlgorithm"],
  secrets: ["caPrivateKeyPem", "caPrivateKeyPemWo"],
  create: async (inputs) => {
    const signer = parseKey(inputs.caPrivateKeyPem ?? inputs.caPrivateKeyPemWo, "caPrivateKeyPem");
    const { locallySigned } = await certificates();
    const { id, computed } = await locallySigned(inputs, signer);
    return { id, computed: { ...computed, caKeyAlgorithm: algorithmOf(signer) } };
  },
};

const certRequest: LocalResource = {
  inputs: { ...names, ...key },
  computed: ["certRequestPem", "keyAlgorithm"],
  secrets: ["privateKeyPem", "privateKeyPemWo"],
  create: async (inputs) => {
    const signer = parseKey(inputs.privateKeyPem ?? inputs.privateKeyPemWo, "privateKeyPem");
    const { certificateRequest } = await certificates();
    const certRequestPem = await certificateRequest(inputs, signer);
    return { id: keyId(signer), computed: { certRequestPem, keyAlgorithm: algorithmOf(signer) } };
  },
};

/** The types of the package tls that the stand-in plays, by token. */
export const TLS: Readonly<Record<string, LocalResource>> = {
  "tls:index/certRequest:CertRequest": certRequest,
  "tls:index/locallySignedCert:LocallySignedCert": locallySignedCert,
  "tls:index/privateKey:PrivateKey": privateKey,
  "tls:index/selfSignedCert:SelfSignedCert": selfSignedCert,
};

function oneOf(property: string, value: Value | undefined, allowed: readonly string[]): CheckFailure[] {
  if (value === undefined || (typeof value === "string" && allowed.includes(value))) return [];
  const words = allowed.map((word) => `"${word}"`).join(" ");
  return [{ property, reason: `Attribute ${property} value must be one of: [${words}]` }];
}
