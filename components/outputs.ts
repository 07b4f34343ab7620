import type pulumi from "@pulumi/pulumi";
import type { CacheOutputs } from "./attic/caches.ts";

/** What a stack gives out: `pulumi stack output`, and what another program reads by a StackReference. */
export interface StackOutputs {
  /** Kubernetes namespace that holds the stack. */
  namespace: pulumi.Output<string>;
  /** Address of Attic's API for clients, with its slash at the end. */
  apiEndpoint: string;
  /** The Service of the API servers in that namespace, and its port (HTTP). */
  server: { service: pulumi.Output<string>; port: number };
  /** How tokens are signed. */
  tokenAlgorithm: "RS256" | "HS256";
  /** With RS256, the public key in PEM form, with which an edge checks tokens. */
  tokenPublicKey?: pulumi.Output<string>;
  /** The key that signs tokens, in base64 as Attic's own variable takes it. Secret. */
  signingKey: pulumi.Output<string>;
  /** URL of the database, for jobs and for a person with psql. Secret. */
  databaseUrl: pulumi.Output<string>;
  /** Certificates in PEM form that the database's is checked against, where it has no public one. */
  databaseCa?: pulumi.Output<string>;
  /** The bucket of chunks, where there is one; `endpoint` is missing for AWS. */
  bucket?: { name: string; region: string; endpoint?: string };
  /** The caches, and what clients have to know of each. */
  caches: readonly CacheOutputs[];
  /** The tokens by their names. Secret. */
  tokens: pulumi.Output<Record<string, string>>;
  /** When each token ends, by name: RFC 3339. The `pulumi up` that finds one near its end makes another. */
  tokensExpireAt: Readonly<Record<string, pulumi.Output<string>>>;
  /** The edge, where there is one: its address, which a default cache makes a substituter, the bucket behind it, and what it serves. */
  edge?: { url: string; bucket: pulumi.Output<string>; caches: readonly string[] };
}
