import pulumi from "@pulumi/pulumi";
import { type EgressRule, type Platform, toServer } from "../platform/index.ts";
import type { ExistingStorageSettings } from "../settings/storage.ts";
import { type S3Credentials, type S3Store, STORE_CLIENT } from "./object-store.ts";

export interface ExistingStoreArgs {
  platform: Platform;
  settings: ExistingStorageSettings;
  credentials: S3Credentials;
}

/** A bucket that somebody else looks after. The stack makes nothing in it and lets its pods reach it. */
export class ExistingStore extends pulumi.ComponentResource implements S3Store {
  readonly type = "s3";
  readonly bucket: string;
  readonly region: string;
  readonly endpoint?: string;
  readonly credentials: S3Credentials;
  readonly caBundle?: string;
  readonly clientLabels = STORE_CLIENT;
  readonly ready: pulumi.Resource = this;

  constructor(name: string, args: ExistingStoreArgs, opts?: pulumi.ComponentResourceOptions) {
    super("attic-stack:storage:ExistingStore", name, {}, opts);
    const { platform, settings, credentials } = args;
    this.bucket = settings.bucket;
    this.region = settings.region;
    this.credentials = credentials;
    if (settings.endpoint !== undefined) this.endpoint = settings.endpoint.replace(/\/$/, "");
    if (settings.caBundle !== undefined) this.caBundle = settings.caBundle;

    platform.allow(
      `${name}-clients`,
      this.clientLabels,
      { egress: egressTo(this.endpoint) },
      { role: { name: "s3", component: "object-store" }, parent: this },
    );
    this.registerOutputs({ bucket: this.bucket, region: this.region, endpoint: this.endpoint });
  }
}

/** To an address; its port is left out of the URL where it is the scheme's own. */
function egressTo(endpoint = "https://s3.amazonaws.com"): EgressRule[] {
  const { hostname, port, protocol } = new URL(endpoint);
  return toServer(hostname, Number(port || (protocol === "https:" ? 443 : 80)));
}
