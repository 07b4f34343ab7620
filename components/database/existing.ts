import pulumi from "@pulumi/pulumi";
import { type Platform, toAnywhere } from "../platform/index.ts";
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

    // The port alone gives nothing away, and a policy that hides it could not be read.
    const port = pulumi.unsecret(url.apply((text) => Number(new URL(text).port || POSTGRES_PORT)));
    platform.allow(
      `${name}-clients`,
      this.clientLabels,
      { egress: [toAnywhere(port)] },
      { role: { name: "postgres", component: "database" }, parent: this },
    );

    this.url = settings.caBundle === undefined ? url : url.apply(withVerifiedTls);
    if (settings.caBundle !== undefined) this.caBundle = pulumi.output(settings.caBundle);
    this.registerOutputs({ url: this.url });
  }
}
