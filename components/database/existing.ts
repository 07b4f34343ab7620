import pulumi from "@pulumi/pulumi";
import { type Platform, toServer } from "../platform/index.ts";
import type { ExistingDatabaseSettings } from "../settings/database.ts";
import { type Database, DATABASE_CLIENT, withVerifiedTls } from "./database.ts";

const POSTGRES_PORT = 5432;

export interface ExistingDatabaseArgs {
  platform: Platform;
  settings: ExistingDatabaseSettings;
  /** `postgres://user:password@host:port/database`: a secret. */
  url: pulumi.Output<string>;
}

/** A PostgreSQL server that somebody else runs. The stack makes nothing in it and lets its pods reach it. */
export class ExistingDatabase extends pulumi.ComponentResource implements Database {
  readonly url: pulumi.Output<string>;
  readonly caBundle?: pulumi.Output<string>;
  readonly clientLabels = DATABASE_CLIENT;
  readonly ready: pulumi.Resource = this;

  constructor(name: string, args: ExistingDatabaseArgs, opts?: pulumi.ComponentResourceOptions) {
    super("attic-stack:database:ExistingDatabase", name, {}, opts);
    const { platform, settings, url } = args;

    // Host and port give no access, and a policy that hides them could not be read.
    const egress = pulumi.unsecret(
      url.apply((text) => {
        const { hostname, port } = new URL(text);
        return toServer(hostname, Number(port || POSTGRES_PORT));
      }),
    );
    platform.allow(
      `${name}-clients`,
      this.clientLabels,
      { egress },
      { role: { name: "postgres", component: "database" }, parent: this },
    );

    this.url = settings.caBundle === undefined ? url : url.apply(withVerifiedTls);
    if (settings.caBundle !== undefined) this.caBundle = pulumi.output(settings.caBundle);
    this.registerOutputs({ url: this.url });
  }
}
