import type pulumi from "@pulumi/pulumi";
import tls from "@pulumi/tls";

const YEAR = 365 * 24;

/** What a server shows, and what its clients check it against: the same certificate. */
export interface SelfSigned {
  /** In PEM form. */
  certificate: pulumi.Output<string>;
  /** In PEM form: a secret. */
  privateKey: pulumi.Output<string>;
}

/**
 * A certificate that a server signs for itself and that its clients trust and nothing else: with one server and
 * clients that are given the certificate, an authority would only be one more key to lose. It is good for ten
 * years; an `up` in the last of them renews it.
 *
 * @param dnsNames the names that the server is reached by.
 */
export function selfSigned(name: string, dnsNames: string[], parent: pulumi.Resource): SelfSigned {
  const key = new tls.PrivateKey(`${name}-key`, { algorithm: "ECDSA", ecdsaCurve: "P256" }, { parent });
  const certificate = new tls.SelfSignedCert(
    name,
    {
      privateKeyPem: key.privateKeyPem,
      subject: { commonName: name },
      dnsNames,
      allowedUses: ["digital_signature", "server_auth"],
      validityPeriodHours: 10 * YEAR,
      earlyRenewalHours: YEAR,
    },
    { parent },
  );
  return { certificate: certificate.certPem, privateKey: key.privateKeyPem };
}
