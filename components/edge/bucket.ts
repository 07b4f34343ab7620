import { cloudflare } from "./cloudflare.ts";
import pulumi from "@pulumi/pulumi";
import { AccountToken, type S3Keys } from "./account-token.ts";

/** Writes and reads objects of one bucket, and cannot so much as name another. */
const BUCKET_WRITE = "Workers R2 Storage Bucket Item Write";
const DAY = 86_400;

export interface EdgeBucketArgs {
  /** Identifier of the Cloudflare account. */
  account: string;
  /** The bucket's name in the account. */
  bucketName: string;
  /** Where it is to be near to. */
  location: string | undefined;
  /** Whether the engine refuses to delete it. */
  protect: boolean;
}

/**
 * An R2 bucket that only the Worker and the mirror get at, and the mirror's keys to it. Nothing in it ends by its
 * age but uploads that were never finished: what else goes, the mirror takes away.
 */
export class EdgeBucket extends pulumi.ComponentResource {
  readonly bucketName: pulumi.Output<string>;
  /** R2's S3 API for the account. */
  readonly endpoint: string;
  readonly region = "auto";
  /** The mirror's keys. */
  readonly keys: S3Keys;

  constructor(name: string, args: EdgeBucketArgs, opts?: pulumi.ComponentResourceOptions) {
    super("attic-stack:edge:EdgeBucket", name, {}, opts);
    const { account: accountId, bucketName, location, protect } = args;
    const bucket = new (cloudflare().R2Bucket)(
      name,
      { accountId, name: bucketName, ...(location !== undefined && { location }) },
      { parent: this, protect },
    );
    this.bucketName = bucket.name;
    this.endpoint = `https://${accountId}.r2.cloudflarestorage.com`;
    new (cloudflare().R2BucketLifecycle)(
      `${name}-lifecycle`,
      {
        accountId,
        bucketName: bucket.name,
        rules: [
          {
            id: "unfinished uploads",
            enabled: true,
            conditions: { prefix: "" },
            abortMultipartUploadsTransition: { condition: { type: "Age", maxAge: DAY } },
          },
        ],
      },
      { parent: this },
    );
    const token = new AccountToken(
      `${name}-mirror`,
      {
        account: accountId,
        called: `${bucketName} mirror`,
        permission: BUCKET_WRITE,
        resource: pulumi.interpolate`com.cloudflare.edge.r2.bucket.${accountId}_default_${bucket.name}`,
      },
      { parent: this },
    );
    this.keys = token.s3Keys;
    this.registerOutputs({ bucketName: this.bucketName, endpoint: this.endpoint });
  }
}
