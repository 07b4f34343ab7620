import { type Parsed, parseSettings, type RawConfig } from "../../components/settings/parse.ts";
import { secretKeys, type Settings } from "../../components/settings/schema.ts";

/** What may stand in a stack's file, before anybody has looked at it. */
export type Content = Record<string, unknown>;

export const GATEWAY_API = {
  kind: "gateway-api",
  className: "envoy",
  host: "cache.example.com",
  tls: { kind: "cert-manager", issuer: "letsencrypt" },
};
export const GATEWAY_API_PARENT = {
  kind: "gateway-api",
  parent: { name: "shared", namespace: "infra" },
  host: "cache.example.com",
};
export const TRAEFIK = {
  kind: "traefik",
  host: "cache.example.com",
  tls: { kind: "secret", name: "wildcard" },
};
export const NGINX = {
  kind: "nginx",
  host: "cache.example.com",
  tls: { kind: "cert-manager", issuer: "letsencrypt" },
};
export const GARAGE = { kind: "garage", host: "s3.example.com" };
export const MINIO = { kind: "minio", host: "s3.example.com" };
export const BUCKET = { kind: "existing", bucket: "nix-cache", region: "eu-central-1" };
export const VOLUME = { kind: "volume" };

export const DATABASE_URL = "postgres://attic:Hunter2%2Fsecret@db.example.com:6432/attic";
export const STORE_SECRETS = {
  storageAccessKeyId: "AKIAEXAMPLEKEYID",
  storageSecretAccessKey: "wJalrXUtnFEMIexampleSecretKey",
};
const SECRET_NAMES = Object.keys(secretKeys);

export const CERTIFICATE = "-----BEGIN CERTIFICATE-----\nMIIBszCCAVmgAwIBAgIU\n-----END CERTIFICATE-----\n";

/** The smallest file that is right, with what a test wants to be otherwise; undefined leaves a key out. */
export function content(over: Content = {}): Content {
  return { gateway: GATEWAY_API, storage: GARAGE, ...over };
}

/** Content as the engine hands it over: text as it is, and all else as JSON. */
export function raw(stackFile: Content, secrets: Iterable<string> = []): RawConfig {
  const values = Object.entries(stackFile)
    .filter(([, value]) => value !== undefined)
    .map(([key, value]) => [key, typeof value === "string" ? value : JSON.stringify(value)] as const);
  return { values: Object.fromEntries(values), secrets: new Set(secrets) };
}

/** Reads a file in which exactly the known secrets are encrypted. */
export function parse(stackFile: Content): Parsed {
  return parseSettings(
    raw(
      stackFile,
      Object.keys(stackFile).filter((key) => SECRET_NAMES.includes(key)),
    ),
  );
}

/** The settings of a file that is right. */
export function settingsOf(over: Content = {}): Settings {
  const { settings, mistakes } = parse(content(over));
  if (mistakes) throw new Error(`this file was to be right: ${JSON.stringify(mistakes)}`);
  return settings;
}
