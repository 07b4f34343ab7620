import { createHash } from "node:crypto";
import { cloudflare } from "./cloudflare.ts";
import pulumi from "@pulumi/pulumi";

export interface AccountTokenArgs {
  /** Identifier of the Cloudflare account. */
  account: string;
  /** Its name in the dashboard. */
  called: string;
  /** The one permission group that it has, by Cloudflare's name. */
  permission: string;
  /** The one resource that it has that permission on, in Cloudflare's form. */
  resource: pulumi.Input<string>;
}

/** Keys for an S3 API. */
export interface S3Keys {
  accessKeyId: pulumi.Output<string>;
  /** A secret. */
  secretAccessKey: pulumi.Output<string>;
}

/** A token of the account, not of a person, with one permission on one thing. */
export class AccountToken extends pulumi.ComponentResource {
  /** A secret. */
  readonly value: pulumi.Output<string>;
  /** The same token in the form that R2's S3 API takes (developers.cloudflare.com/r2/api/tokens). */
  readonly s3Keys: S3Keys;

  constructor(name: string, args: AccountTokenArgs, opts?: pulumi.ComponentResourceOptions) {
    super("attic-stack:edge:AccountToken", name, {}, opts);
    const { account: accountId, called, permission, resource } = args;
    const groups = cloudflare().getAccountApiTokenPermissionGroupsListOutput({ accountId }, { parent: this });
    const token = new (cloudflare().AccountToken)(
      name,
      {
        accountId,
        name: called,
        policies: [
          {
            effect: "allow",
            permissionGroups: [{ id: groups.apply(({ results }) => idOf(permission, results)) }],
            resources: pulumi.output(resource).apply((of) => JSON.stringify({ [of]: "*" })),
          },
        ],
      },
      { parent: this, additionalSecretOutputs: ["value"] },
    );
    this.value = pulumi.secret(token.value);
    this.s3Keys = {
      accessKeyId: token.id,
      secretAccessKey: this.value.apply((value) => createHash("sha256").update(value).digest("hex")),
    };
    this.registerOutputs({});
  }
}

/** @throws Error where the account offers no such permission group, or the stack's own token may not see it. */
function idOf(permission: string, groups: readonly { id: string; name: string }[]): string {
  const found = groups.find(({ name }) => name === permission);
  if (found !== undefined) return found.id;
  throw new Error(
    `Cloudflare offers no permission group ${JSON.stringify(permission)} to the stack's API token; give that token the permission "Account API Tokens: Edit".`,
  );
}
