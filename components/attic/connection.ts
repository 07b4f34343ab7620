import pulumi from "@pulumi/pulumi";
import type { SigningKey } from "../server/index.ts";
import { placeOf } from "./database-place.ts";
import { endpointFault, withSlash } from "./endpoint.ts";

/** How caches and tokens are made: where the server is, and with which key its tokens are signed. */
export interface Connection {
  /** Address of the API for clients. */
  endpoint: string;
  /** Where it is given, the server is reached through the Kubernetes API instead: its Service and namespace. */
  tunnel?: { namespace: pulumi.Input<string>; service: pulumi.Input<string> };
  signingKey: SigningKey;
  /** URL of the server's database: where it is another one, caches are looked for and made anew. Secret. */
  databaseUrl?: pulumi.Output<string>;
  /** Whether the server keeps the records of deleted caches, whose names cannot be used again. */
  softDeleteCaches?: boolean;
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
  /** Address of the API for clients, with its slash at the end. */
  readonly endpoint: string;

  /** @throws pulumi.RunError where the endpoint is none. */
  constructor(name: string, connection: Connection, opts?: pulumi.ResourceOptions) {
    const { tunnel, signingKey, databaseUrl, softDeleteCaches, issuer, audience } = connection;
    const fault = endpointFault(connection.endpoint);
    if (fault !== undefined) throw new pulumi.RunError(`The endpoint of ${name} ${fault}`);
    const endpoint = withSlash(connection.endpoint);
    const cluster = new pulumi.Config("kubernetes");
    const inputs: Record<string, pulumi.Input<string | undefined>> = {
      endpoint,
      algorithm: signingKey.algorithm,
      signingKey: pulumi.secret(signingKey.secret),
      database: databaseUrl && pulumi.unsecret(databaseUrl.apply(placeOf)),
      softDeleteCaches: softDeleteCaches === true ? "true" : undefined,
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
