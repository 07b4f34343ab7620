import pulumi from "@pulumi/pulumi";
import tls from "@pulumi/tls";

const YEAR = 365 * 24;

export interface PrivateCertificateArgs {
  /** The names that the server is reached by. */
  dnsNames: string[];
  /** What the authority is called where somebody looks at it. */
  commonName: string;
}

/**
 * A certificate for one server, by an authority that signs nothing else. Both are good for ten years; an
 * `up` in the last of them renews them.
 */
export class PrivateCertificate extends pulumi.ComponentResource {
  /** The authority's certificate, in PEM form: what clients check against. */
  readonly caBundle: pulumi.Output<string>;
  readonly certificate: pulumi.Output<string>;
  /** The server's private key in PEM form: a secret. */
  readonly privateKey: pulumi.Output<string>;

  constructor(name: string, args: PrivateCertificateArgs, opts?: pulumi.ComponentResourceOptions) {
    super("attic-stack:database:PrivateCertificate", name, {}, opts);
    const curve = { algorithm: "ECDSA", ecdsaCurve: "P256" };
    const validity = { validityPeriodHours: 10 * YEAR, earlyRenewalHours: YEAR };

    const authorityKey = new tls.PrivateKey(`${name}-ca-key`, curve, { parent: this });
    const authority = new tls.SelfSignedCert(
      `${name}-ca`,
      {
        privateKeyPem: authorityKey.privateKeyPem,
        subject: { commonName: `${args.commonName} CA` },
        isCaCertificate: true,
        allowedUses: ["cert_signing", "digital_signature"],
        ...validity,
      },
      { parent: this },
    );
    const key = new tls.PrivateKey(`${name}-key`, curve, { parent: this });
    const request = new tls.CertRequest(
      `${name}-request`,
      {
        privateKeyPem: key.privateKeyPem,
        subject: { commonName: args.commonName },
        dnsNames: args.dnsNames,
      },
      { parent: this },
    );
    const certificate = new tls.LocallySignedCert(
      `${name}-certificate`,
      {
        certRequestPem: request.certRequestPem,
        caPrivateKeyPem: authorityKey.privateKeyPem,
        caCertPem: authority.certPem,
        allowedUses: ["server_auth", "digital_signature"],
        ...validity,
      },
      { parent: this },
    );

    this.caBundle = authority.certPem;
    this.certificate = certificate.certPem;
    this.privateKey = key.privateKeyPem;
    this.registerOutputs({ caBundle: this.caBundle });
  }
}
