import pulumi from "@pulumi/pulumi";
import type { AtticProvider } from "./connection.ts";
import type { Permission } from "./permissions.ts";

export interface AccessTokenArgs {
  /** Who it is for: the `sub` claim. */
  subject: pulumi.Input<string>;
  /**
   * What it may do, by cache name or by a pattern in which `*` stands for any text. For one cache the entry of its
   * very name counts, else the first pattern that matches, and never two together.
   */
  permissions: pulumi.Input<
    pulumi.Input<{ cache: pulumi.Input<string>; allow: pulumi.Input<Permission[]> }>[]
  >;
  /** How long it holds, such as 90d, which is the default. */
  validity?: pulumi.Input<string> | undefined;
  /** The first update that finds less than this left makes a new one: a third of the validity unless told. */
  renewBefore?: pulumi.Input<string> | undefined;
  /** From when on it holds (RFC 3339); at once unless told, also on a server whose clock is slow. */
  notBefore?: pulumi.Input<string> | undefined;
  /** The `iss` claim. */
  issuer?: pulumi.Input<string> | undefined;
  /** The `aud` claim. */
  audiences?: pulumi.Input<pulumi.Input<string>[]> | undefined;
}

/**
 * A token for Attic, signed without asking the server, and anew when it nears its end, says something else, or the
 * signing key is another. Deleting it takes nothing back: it holds until it ends, or the signing key is changed.
 *
 * @example
 * new AccessToken("ci", { subject: "ci", permissions: [{ cache: "main", allow: ["pull", "push"] }] }, { provider });
 */
export class AccessToken extends pulumi.CustomResource {
  /** The token. Secret. */
  declare readonly value: pulumi.Output<string>;
  /** When it ends, RFC 3339 in UTC. */
  declare readonly expiresAt: pulumi.Output<string>;

  constructor(
    name: string,
    args: AccessTokenArgs,
    opts: pulumi.CustomResourceOptions & { provider: AtticProvider },
  ) {
    super(
      "attic:index:AccessToken",
      name,
      { ...args, value: undefined, expiresAt: undefined },
      { additionalSecretOutputs: ["value"], ...opts },
    );
  }
}
