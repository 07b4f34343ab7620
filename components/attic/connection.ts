import pulumi from "@pulumi/pulumi";
import type { SigningKey } from "../server/index.ts";

/** How caches and tokens are made: where the server is, and with which key its tokens are signed. */
export interface Connection {
  /** Address of the API for clients, with its slash at the end. */
  endpoint: string;
  /** Where it is given, the server is reached through the Kubernetes API instead: its Service and namespace. */
  tunnel?: { namespace: pulumi.Input<string>; service: pulumi.Input<string> };
  signingKey: SigningKey;
  /** URL of the server's database: where it is another one, caches are looked for and made anew. Secret. */
  databaseUrl?: pulumi.Output<string>;
  /** The `iss` claim that the server demands. */
  issuer?: string;
  /** An `aud` claim that the server takes. */
  audience?: string;
}

/**
 * The provider of caches and tokens. It holds what they share once: the way to the server, and the key, from
 * which the administrator's token of a run is made. The plugin stands in `provider/attic`, and Pulumi.yaml
 * says so.
 */
export class AtticProvider extends pulumi.ProviderResource {
  readonly endpoint: string;

  constructor(name: string, connection: Connection, opts?: pulumi.ResourceOptions) {
    const { endpoint, tunnel, signingKey, databaseUrl, issuer, audience } = connection;
    const cluster = new pulumi.Config("kubernetes");
    const inputs: Record<string, pulumi.Input<string | undefined>> = {
      endpoint,
      algorithm: signingKey.algorithm,
      signingKey: pulumi.secret(signingKey.secret),
      database: databaseUrl && pulumi.unsecret(databaseUrl.apply(placeOf)),
      issuer,
      audience,
      ...(tunnel && {
        tunnelNamespace: tunnel.namespace,
        tunnelService: tunnel.service,
        // The same cluster as everything else of the stack.
        kubeconfig: cluster.getSecret("kubeconfig"),
        context: cluster.get("context"),
      }),
    };
    super("attic", name, inputs, opts);
    this.endpoint = endpoint;
  }
}

/** What tells one database from another, and nothing that is secret: neither its user nor its password. */
function placeOf(databaseUrl: string): string {
  const { host, pathname } = new URL(databaseUrl);
  return `${host}${pathname}`;
}
