import pulumi from "@pulumi/pulumi";
import { AccessToken, type AccessTokenArgs } from "../../components/attic/access-token.ts";
import { Cache, type CacheArgs } from "../../components/attic/cache.ts";
import { AtticProvider } from "../../components/attic/connection.ts";
import type { TokenKey } from "../../components/attic/token.ts";

/** Values as they stand in JSON, in place of what may be an Output. */
type Plain<T> = { [K in keyof T]: pulumi.Unwrap<T[K]> };

/** What a stack of caches and tokens declares. */
export interface Declared {
  /** Where its provider finds the server. */
  server: {
    endpoint: string;
    key: TokenKey;
    tunnel?: { namespace: string; service: string };
    issuer?: string;
    audience?: string;
  };
  /** By the resources' names. Deleting is allowed unless there are options. */
  caches?: Record<string, Plain<CacheArgs> & { options?: pulumi.CustomResourceOptions }>;
  tokens?: Record<string, Plain<AccessTokenArgs>>;
  /** Whether they are a component's, as they are in a stack of the project. */
  inComponent?: boolean;
}

/** A program that makes caches and tokens, and nothing else. */
export function declare({
  server,
  caches = {},
  tokens = {},
  inComponent = false,
}: Declared): Record<string, unknown> {
  const { key, ...connection } = server;
  const parent = inComponent
    ? { parent: new pulumi.ComponentResource("attic-stack:attic:Caches", "attic", {}) }
    : {};
  const signingKey = { algorithm: key.algorithm, secret: pulumi.secret(key.secret) };
  const provider = new AtticProvider("attic", { ...connection, signingKey }, parent);
  const outputs: Record<string, unknown> = {};
  for (const [name, { options = { protect: false }, ...args }] of Object.entries(caches)) {
    const { publicKey, substituter, apiEndpoint } = new Cache(name, args, {
      ...options,
      ...parent,
      provider,
    });
    outputs[name] = { publicKey, substituter, apiEndpoint };
  }
  for (const [name, args] of Object.entries(tokens)) {
    outputs[name] = new AccessToken(name, args, { ...parent, provider }).value;
  }
  return outputs;
}
