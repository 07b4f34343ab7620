import { createPrivateKey, generateKeyPairSync, randomBytes, X509Certificate } from "node:crypto";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { readIfThere, writeFileAtomically } from "../support/files.ts";

/** A certificate that ends within this many milliseconds is made anew. */
const RENEW = 30 * 24 * 3600 * 1000;

/** Who talks to the API server, with the group that gives each its rights. */
const USERS = {
  admin: { user: "sandbox-admin", group: "system:masters" },
  "controller-manager": { user: "system:kube-controller-manager", group: "" },
  scheduler: { user: "system:kube-scheduler", group: "" },
  // kwok writes the status of whatever is played, so no role would fit it for long.
  kwok: { user: "kwok", group: "system:masters" },
} as const;

export type User = keyof typeof USERS;

/** Secrets and names of the control plane's parts: files in its folder, made once and kept. */
export interface Identity {
  tokens: Record<User, string>;
  tokenFile: string;
  /** Signs the tokens of service accounts. */
  accountKey: string;
  /** Folder in which the API server makes its own certificate at its first start. */
  certificates: string;
}

/** The certificate and key by which the API server shows itself; kwok, as kubelet, uses the same ones. */
export function servingPair(identity: Identity): { certificate: string; key: string } {
  return {
    certificate: join(identity.certificates, "apiserver.crt"),
    key: join(identity.certificates, "apiserver.key"),
  };
}

/** Reads the identity in a folder, or makes what is missing. */
export async function provideIdentity(folder: string): Promise<Identity> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const identity = {
    tokens: await provideTokens(join(folder, "tokens.json")),
    tokenFile: join(folder, "tokens.csv"),
    accountKey: join(folder, "service-accounts.key"),
    certificates: join(folder, "certificates"),
  };
  // See https://kubernetes.io/docs/reference/access-authn-authz/authentication/#static-token-file
  const lines = Object.entries(USERS).map(
    ([name, { user, group }]) => `${identity.tokens[name as User]},${user},${user},"${group}"\n`,
  );
  if ((await readIfThere(identity.tokenFile)) !== lines.join("")) {
    await writeFileAtomically(identity.tokenFile, lines.join(""));
  }
  if ((await readIfThere(identity.accountKey)) === undefined) {
    const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
    await writeFileAtomically(identity.accountKey, privateKey.export({ type: "sec1", format: "pem" }));
  }
  return identity;
}

async function provideTokens(path: string): Promise<Record<User, string>> {
  const text = await readIfThere(path);
  if (text !== undefined) return JSON.parse(text) as Record<User, string>;
  const tokens = Object.fromEntries(
    Object.keys(USERS).map((name) => [name, randomBytes(24).toString("hex")]),
  );
  await writeFileAtomically(path, JSON.stringify(tokens));
  return tokens as Record<User, string>;
}

/**
 * The API server's certificate with the one that signed it, as PEM, or undefined while there is
 * none, one that ends soon, or one that was half written when the server was killed.
 */
export async function certificateOf(identity: Identity): Promise<string | undefined> {
  const pair = servingPair(identity);
  const [certificate, key] = await Promise.all([readIfThere(pair.certificate), readIfThere(pair.key)]);
  if (certificate === undefined || key === undefined) return undefined;
  try {
    const parsed = new X509Certificate(certificate);
    const fits = parsed.checkPrivateKey(createPrivateKey(key));
    const lasts = Date.parse(parsed.validTo) - Date.now() > RENEW;
    // The signing certificate follows the server's own; both must be whole.
    const whole = certificate.match(/-----END CERTIFICATE-----\n/gu)?.length === 2;
    return fits && lasts && whole ? certificate : undefined;
  } catch {
    return undefined;
  }
}

/** A kubeconfig, which is YAML, of which JSON is a part. */
export function kubeconfig(server: string, certificate: string, user: string, token: string): string {
  const name = "attic-stack-sandbox";
  return `${JSON.stringify(
    {
      apiVersion: "v1",
      kind: "Config",
      clusters: [
        {
          name,
          cluster: { server, "certificate-authority-data": Buffer.from(certificate).toString("base64") },
        },
      ],
      users: [{ name: user, user: { token } }],
      contexts: [{ name, context: { cluster: name, user } }],
      "current-context": name,
    },
    undefined,
    2,
  )}\n`;
}
