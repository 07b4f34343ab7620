import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { createPrivateKey, createPublicKey, X509Certificate } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Provider } from "../../../../provider/protocol/provider.ts";
import { tableProvider } from "../../../../sandbox/plugins/table.ts";
import { revealAll, Secret, type Properties } from "../../../../provider/protocol/values.ts";
import { TLS } from "../../../../sandbox/plugins/tls/resources.ts";

const tls: Provider = tableProvider("tls", "1.0.0", TLS);
const urn = "urn:pulumi:dev::project::type::name";

function token(name: string): string {
  return `tls:index/${name.charAt(0).toLowerCase()}${name.slice(1)}:${name}`;
}

async function create(name: string, inputs: Properties): Promise<Record<string, string>> {
  const { id, outputs } = await tls.create({ urn, type: token(name), inputs, timeout: 0, preview: false });
  return { id, ...(revealAll(outputs) as Record<string, string>) };
}

async function keyOf(algorithm: string, more: Properties = {}): Promise<string> {
  return (await create("PrivateKey", { algorithm, ...more })).privateKeyPem!;
}

const BLOCKS: readonly [algorithm: string, more: Properties, block: string, ssh: string][] = [
  ["RSA", { rsaBits: 2048 }, "RSA PRIVATE KEY", "ssh-rsa"],
  ["ECDSA", { ecdsaCurve: "P256" }, "EC PRIVATE KEY", "ecdsa-sha2-nistp256"],
  ["ECDSA", { ecdsaCurve: "P384" }, "EC PRIVATE KEY", "ecdsa-sha2-nistp384"],
  ["ECDSA", { ecdsaCurve: "P521" }, "EC PRIVATE KEY", "ecdsa-sha2-nistp521"],
  ["ED25519", {}, "PRIVATE KEY", "ssh-ed25519"],
];

describe("PrivateKey", () => {
  for (const [algorithm, more, block, ssh] of BLOCKS) {
    it(`of ${ssh} is one key in every form`, async () => {
      const key = await create("PrivateKey", { algorithm, ...more });
      assert.ok(key.privateKeyPem?.startsWith(`-----BEGIN ${block}-----\n`));
      assert.ok(key.privateKeyPemPkcs8?.startsWith("-----BEGIN PRIVATE KEY-----\n"));
      const spki = (pem: string | undefined): string =>
        createPublicKey(createPrivateKey(pem ?? ""))
          .export({ type: "spki", format: "pem" })
          .toString();
      assert.equal(spki(key.privateKeyPem), key.publicKeyPem);
      assert.equal(spki(key.privateKeyPemPkcs8), key.publicKeyPem);
      assert.ok(key.publicKeyOpenssh?.startsWith(`${ssh} AAAA`));
      assert.ok(key.privateKeyOpenssh?.startsWith("-----BEGIN OPENSSH PRIVATE KEY-----\n"));
      assert.match(key.publicKeyFingerprintMd5 ?? "", /^[0-9a-f]{2}(:[0-9a-f]{2}){15}$/);
      assert.match(key.publicKeyFingerprintSha256 ?? "", /^SHA256:[A-Za-z0-9+/]{43}$/);
      assert.match(key.id ?? "", /^[0-9a-f]{40}$/);
    });
  }

  it("keeps its private forms secret, and has no SSH form on P-224", async () => {
    const request = {
      urn,
      type: token("PrivateKey"),
      inputs: { algorithm: "ECDSA" },
      timeout: 0,
      preview: false,
    };
    const { outputs } = await tls.create(request);
    for (const name of ["privateKeyPem", "privateKeyPemPkcs8", "privateKeyOpenssh"]) {
      assert.ok(outputs[name] instanceof Secret, name);
    }
    assert.deepEqual(outputs.privateKeyOpenssh, new Secret(""));
    assert.equal(outputs.publicKeyOpenssh, "");
    assert.equal(outputs.ecdsaCurve, "P224");
  });

  it("is understood by ssh-keygen, where there is one", async function () {
    const folder = mkdtempSync(join(tmpdir(), "attic-stack-tls-"));
    try {
      for (const [algorithm, more] of BLOCKS) {
        const key = await create("PrivateKey", { algorithm, ...more });
        const file = join(folder, "key");
        writeFileSync(file, key.privateKeyOpenssh ?? "", { mode: 0o600 });
        const { error, stdout } = spawnSync("ssh-keygen", ["-y", "-f", file], { encoding: "utf8" });
        if (error) this.skip();
        assert.equal(stdout.trim(), key.publicKeyOpenssh?.trim());
      }
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it("refuses an algorithm that there is not", async () => {
    const request = {
      urn,
      type: token("PrivateKey"),
      olds: {},
      randomSeed: new Uint8Array(),
      autonaming: undefined,
    };
    const { failures } = await tls.check({ ...request, news: { algorithm: "DSA" } });
    assert.deepEqual(failures, [
      {
        property: "algorithm",
        reason: 'Attribute algorithm value must be one of: ["RSA" "ECDSA" "ED25519"]',
      },
    ]);
  });
});

const authority = {
  subject: { commonName: "Test CA", organization: "Attic" },
  isCaCertificate: true,
  validityPeriodHours: 48,
  allowedUses: ["cert_signing", "crl_signing"],
};

describe("certificates", () => {
  it("signed by themselves hold what was asked for", async () => {
    const made = await create("SelfSignedCert", {
      privateKeyPem: await keyOf("ECDSA", { ecdsaCurve: "P256" }),
      subject: { commonName: "attic.example.org", organization: "Attic, Inc.", country: "CH" },
      dnsNames: ["attic.example.org", "*.attic.example.org"],
      ipAddresses: ["192.0.2.1", "2001:db8::1"],
      uris: ["spiffe://example.org/attic"],
      validityPeriodHours: 12,
      allowedUses: ["digital_signature", "key_encipherment", "server_auth", "client_auth"],
      setSubjectKeyId: true,
      setAuthorityKeyId: true,
    });
    const certificate = new X509Certificate(made.certPem ?? "");
    assert.ok(certificate.verify(certificate.publicKey));
    assert.equal(certificate.subject, "C=CH\nO=Attic\\, Inc.\nCN=attic.example.org");
    assert.equal(certificate.ca, false);
    assert.deepEqual(certificate.subjectAltName?.split(", ").sort(), [
      "DNS:*.attic.example.org",
      "DNS:attic.example.org",
      "IP Address:192.0.2.1",
      "IP Address:2001:DB8:0:0:0:0:0:1",
      "URI:spiffe://example.org/attic",
    ]);
    assert.deepEqual(certificate.keyUsage, ["1.3.6.1.5.5.7.3.1", "1.3.6.1.5.5.7.3.2"]);
    assert.equal(Date.parse(certificate.validTo) - Date.parse(certificate.validFrom), 12 * 3_600_000);
    assert.equal(new Date(made.validityEndTime ?? "").getTime(), Date.parse(certificate.validTo));
    assert.equal(BigInt(made.id ?? "0"), BigInt(`0x${certificate.serialNumber}`));
    assert.equal(made.readyForRenewal, false);
    assert.equal(made.keyAlgorithm, "ECDSA");
  });

  for (const [algorithm, more] of BLOCKS.slice(0, 5)) {
    it(`are issued for a request, by an authority with a key of ${algorithm} ${JSON.stringify(more)}`, async () => {
      const caKey = await keyOf(algorithm, more);
      const ca = await create("SelfSignedCert", { ...authority, privateKeyPem: caKey });
      const request = await create("CertRequest", {
        privateKeyPem: await keyOf("RSA", { rsaBits: 2048 }),
        subject: { commonName: "leaf" },
        dnsNames: ["leaf.example.org"],
      });
      const leaf = await create("LocallySignedCert", {
        certRequestPem: request.certRequestPem ?? "",
        caCertPem: ca.certPem ?? "",
        caPrivateKeyPem: caKey,
        validityPeriodHours: 1,
        allowedUses: ["server_auth"],
      });
      const [parent, child] = [
        new X509Certificate(ca.certPem ?? ""),
        new X509Certificate(leaf.certPem ?? ""),
      ];
      assert.ok(parent.ca);
      assert.ok(child.verify(parent.publicKey));
      assert.ok(child.checkIssued(parent));
      assert.equal(child.subject, "CN=leaf");
      assert.equal(child.subjectAltName, "DNS:leaf.example.org");
    });
  }

  it("are not issued by a key that is not the authority's, and the key is not in the words", async () => {
    const ca = await create("SelfSignedCert", { ...authority, privateKeyPem: await keyOf("ED25519") });
    const request = await create("CertRequest", { privateKeyPem: await keyOf("ED25519"), subject: {} });
    const inputs = {
      certRequestPem: request.certRequestPem ?? "",
      caCertPem: ca.certPem ?? "",
      caPrivateKeyPem: await keyOf("ED25519"),
      validityPeriodHours: 1,
      allowedUses: [],
    };
    await assert.rejects(
      create("LocallySignedCert", inputs),
      /^Error: caPrivateKeyPem is not the key of caCertPem$/,
    );
    await assert.rejects(
      create("LocallySignedCert", { ...inputs, caPrivateKeyPem: "secret" }),
      /^Error: caPrivateKeyPem is not a private key in PEM$/,
    );
  });

  it("are replaced when their time for renewal has come, and not by another time for it", async () => {
    const inputs = { ...authority, privateKeyPem: await keyOf("ED25519") };
    const state = { type: token("SelfSignedCert"), urn, id: "1", oldInputs: {}, ignoreChanges: [] };
    const { outputs } = await tls.create({ urn, type: state.type, inputs, timeout: 0, preview: false });
    assert.equal((await tls.diff({ ...state, olds: outputs, news: inputs })).changes, false);
    const early = await tls.diff({ ...state, olds: outputs, news: { ...inputs, earlyRenewalHours: 1 } });
    assert.deepEqual([early.changes, early.replaces], [true, []]);
    const due = await tls.diff({
      ...state,
      olds: { ...outputs, earlyRenewalHours: 48 },
      news: { ...inputs, earlyRenewalHours: 48 },
    });
    assert.deepEqual(due.replaces, ["readyForRenewal"]);
  });
});
