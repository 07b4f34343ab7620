import type pulumi from "@pulumi/pulumi";
import type { Labels } from "../platform/index.ts";

/** What the server, and every job, sees of a database, whatever its kind. */
export interface Database {
  /**
   * URL for Attic, with user and password: a secret. Where `caBundle` is there, it asks for a full check of
   * the server's certificate against the file DATABASE_CA_PATH.
   */
  readonly url: pulumi.Output<string>;
  /** Certificates in PEM form, to be mounted at DATABASE_CA_PATH by every pod that gets the URL. */
  readonly caBundle?: pulumi.Output<string>;
  /** Labels that let a pod through to it. */
  readonly clientLabels: Labels;
  /** What has to be there before the first connection. */
  readonly ready: pulumi.Resource;
}

export const DATABASE_CA_FOLDER = "/etc/attic-database";
export const DATABASE_CA_FILE = "ca.crt";
/** Where a pod finds the certificates that sign the database's. */
export const DATABASE_CA_PATH = `${DATABASE_CA_FOLDER}/${DATABASE_CA_FILE}`;

export const DATABASE_CLIENT: Labels = { "attic-stack/database-client": "true" };

/**
 * Asks for TLS with a full check in a PostgreSQL URL, unless the URL says itself what it wants.
 *
 * `verify-ca` is never written: Attic's driver panics on it.
 */
export function withVerifiedTls(url: string): string {
  const parsed = new URL(url);
  if (!parsed.searchParams.has("sslmode")) parsed.searchParams.set("sslmode", "verify-full");
  if (!parsed.searchParams.has("sslrootcert")) parsed.searchParams.set("sslrootcert", DATABASE_CA_PATH);
  // Left as percent-encoding, the slashes of the path are the same to a URL parser and harder to read. A
  // password may hold one as well, and there it has to stay encoded.
  parsed.search = parsed.search.replaceAll("%2F", "/");
  return parsed.href;
}
