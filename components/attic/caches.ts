import k8s from "@pulumi/kubernetes";
import pulumi from "@pulumi/pulumi";
import type { Platform, Role } from "../platform/index.ts";
import type { Database } from "../database/index.ts";
import type { Gateway } from "../gateway/index.ts";
import type { AtticServer } from "../server/index.ts";
import { keypairOf, type StackSettings } from "../settings/index.ts";
import { AccessToken } from "./access-token.ts";
import { Cache } from "./cache.ts";
import { AtticProvider } from "./connection.ts";
import { netrc, NETRC_FILE, NETRC_SECRET } from "./netrc.ts";

const ROLE: Role = { name: "attic", component: "client" };

export interface CachesArgs {
  platform: Platform;
  settings: StackSettings;
  database: Database;
  server: AtticServer;
  gateway: Gateway;
}

/** What clients have to know of a cache. */
export interface CacheOutputs {
  name: pulumi.Output<string>;
  /** What they trust: for `trusted-public-keys` in nix.conf. */
  publicKey: pulumi.Output<string>;
  /** Where they find it: for `substituters` in nix.conf. */
  substituter: pulumi.Output<string>;
  /** Whether they need no token to pull. */
  isPublic: pulumi.Output<boolean>;
}

/** The caches and tokens that the settings declare, and for each namespace that wants one a netrc with a token. */
export class Caches extends pulumi.ComponentResource {
  readonly caches: readonly CacheOutputs[];
  /** For what else is made on the server, or signed by its key. */
  readonly provider: AtticProvider;
  /** The tokens by the names that the settings give them. Secret. */
  readonly tokens: pulumi.Output<Record<string, string>>;
  /** When each ends, RFC 3339. */
  readonly tokensExpireAt: Readonly<Record<string, pulumi.Output<string>>>;

  constructor(name: string, args: CachesArgs, opts?: pulumi.ComponentResourceOptions) {
    super("attic-stack:attic:Caches", name, {}, opts);
    const { platform, settings, database, server, gateway } = args;
    const tunnelled = settings.connection === "tunnel";
    const { tokenIssuer: issuer, tokenAudiences: [audience] = [], softDeleteCaches } = settings.server;
    // It waits for nothing that it can begin without, so that the engine starts it while the servers are looked at.
    this.provider = new AtticProvider(
      `${name}-provider`,
      {
        endpoint: gateway.apiEndpoint,
        ...(tunnelled && { tunnel: { namespace: platform.namespace, service: server.service } }),
        signingKey: server.signingKey,
        databaseUrl: database.url,
        softDeleteCaches,
        ...(issuer !== undefined && { issuer }),
        ...(audience !== undefined && { audience }),
      },
      { parent: this, dependsOn: tunnelled ? [] : [gateway.ready] },
    );
    const made = { parent: this, provider: this.provider };

    this.caches = settings.caches.map(({ public: isPublic, protect, ...cache }) => {
      const keypair = keypairOf(settings, cache.name);
      const inputs = { ...cache, isPublic, ...(keypair && { keypair }) };
      const { publicKey, substituter, ...resource } = new Cache(`${name}-cache-${cache.name}`, inputs, {
        ...made,
        dependsOn: [server.ready],
        protect: protect || platform.protectData,
      });
      return { name: resource.name, publicKey, substituter, isPublic: resource.isPublic };
    });
    const tokens = settings.tokens.map(({ name: called, netrc: namespaces, ...token }) => {
      const resource = new AccessToken(`${name}-token-${called}`, token, made);
      for (const namespace of namespaces) {
        netrcSecret(`${name}-netrc-${namespace}`, { platform, namespace, gateway, token: resource }, this);
      }
      return [called, resource] as const;
    });
    this.tokens = pulumi.secret(Object.fromEntries(tokens.map(([called, { value }]) => [called, value])));
    this.tokensExpireAt = Object.fromEntries(tokens.map(([called, { expiresAt }]) => [called, expiresAt]));
    this.registerOutputs({ caches: this.caches, tokensExpireAt: this.tokensExpireAt });
  }
}

interface NetrcArgs {
  platform: Platform;
  namespace: string;
  gateway: Gateway;
  token: AccessToken;
}

/** A netrc under a name that builders know, in a namespace that somebody else has made, or the stack's own. */
function netrcSecret(name: string, args: NetrcArgs, parent: pulumi.Resource): void {
  const { platform, namespace, gateway, token } = args;
  const { labels } = platform.unnamed(ROLE);
  const own = namespace === platform.namespaceName;
  new k8s.core.v1.Secret(
    name,
    {
      metadata: { name: NETRC_SECRET, namespace: own ? platform.namespace : namespace, labels },
      stringData: { [NETRC_FILE]: token.value.apply((value) => netrc(gateway.apiEndpoint, value)) },
    },
    { parent },
  );
}
