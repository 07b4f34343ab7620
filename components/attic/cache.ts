import pulumi from "@pulumi/pulumi";
import type { AtticProvider } from "./connection.ts";
import type { Retention } from "./retention.ts";

export interface CacheArgs {
  /** Its name, by which clients ask for it: 1 to 50 of A-Z, a-z, 0-9, -, _ and +. Another name is another cache. */
  name: pulumi.Input<string>;
  /** Whether everybody may pull from it, without a token. False unless told. */
  isPublic?: pulumi.Input<boolean> | undefined;
  /** The lower, the sooner Nix asks it; cache.nixos.org has 40. Attic's own default, 41, unless told. */
  priority?: pulumi.Input<number> | undefined;
  /** The Nix store that its paths are made for: /nix/store unless told. Another store is another cache. */
  storeDir?: pulumi.Input<string> | undefined;
  /** Names of keys whose paths clients need not push: `cache.nixos.org-1` unless told. */
  upstreamCacheKeyNames?: pulumi.Input<pulumi.Input<string>[]> | undefined;
  /** How long a path that nobody pulls is kept: such as 90d, `never` (is it deleted) or the server's `default`. */
  retention?: pulumi.Input<Retention> | undefined;
  /**
   * Its signing key, `name:base64` as `nix key generate-secret` writes it. A secret. One is made unless told, which
   * the server alone knows.
   */
  keypair?: pulumi.Input<string> | undefined;
  /** Take over a cache of this name that exists, and make it what is declared. */
  adopt?: pulumi.Input<boolean> | undefined;
}

export type CacheOptions = pulumi.CustomResourceOptions & { provider: AtticProvider };

/**
 * A cache in Attic. Deleting one deletes what is in it, so it is protected unless `protect: false` is said.
 *
 * @example new Cache("main", { name: "main", isPublic: true, retention: "90d" }, { provider });
 */
export class Cache extends pulumi.CustomResource {
  declare readonly name: pulumi.Output<string>;
  declare readonly isPublic: pulumi.Output<boolean>;
  declare readonly priority: pulumi.Output<number>;
  declare readonly storeDir: pulumi.Output<string>;
  declare readonly upstreamCacheKeyNames: pulumi.Output<string[]>;
  declare readonly retention: pulumi.Output<Retention>;
  /** What clients trust, `name:base64`, for `trusted-public-keys` in nix.conf. */
  declare readonly publicKey: pulumi.Output<string>;
  /** The binary cache's own address, for `substituters` in nix.conf. */
  readonly substituter: pulumi.Output<string>;
  /** Address of the API, for `attic login`. */
  readonly apiEndpoint: string;

  constructor(name: string, args: CacheArgs, opts: CacheOptions) {
    const { keypair, ...inputs } = args;
    const secret = keypair === undefined ? {} : { keypair: pulumi.secret(keypair) };
    super(
      "attic:index:Cache",
      name,
      { ...inputs, ...secret, publicKey: undefined },
      { protect: true, ...opts },
    );
    this.apiEndpoint = opts.provider.endpoint;
    this.substituter = pulumi.interpolate`${this.apiEndpoint}${args.name}`;
  }
}
