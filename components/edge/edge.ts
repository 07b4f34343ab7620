import pulumi from "@pulumi/pulumi";
import type { Caches } from "../attic/caches.ts";
import type { Database } from "../database/index.ts";
import type { Platform } from "../platform/index.ts";
import type { AtticServer } from "../server/index.ts";
import type { StackSettings } from "../settings/index.ts";
import type { EdgeSettings } from "../settings/edge.ts";
import type { ObjectStore } from "../storage/index.ts";
import { AccountToken } from "./account-token.ts";
import { EdgeBucket } from "./bucket.ts";
import { edgeConfig } from "./config.ts";
import { Mirror } from "./mirror.ts";
import { EdgeWorker } from "./worker-script.ts";

/** Reads what the Analytics Engine keeps, of the whole account: there is no smaller one. */
const ANALYTICS_READ = "Account Analytics Read";

export interface EdgeArgs {
  platform: Platform;
  settings: StackSettings;
  edge: EdgeSettings;
  database: Database;
  store: ObjectStore;
  server: AtticServer;
  caches: Caches;
  /** The server's address for clients, with its slash at the end. */
  origin: string;
}

/**
 * A read-only copy of caches near to clients that are far away: files in a bucket, a Worker that serves them, and a job
 * that brings what is new. Nothing in it can change anything in the lab but the time of a path's last use.
 */
export class Edge extends pulumi.ComponentResource {
  /** Such as "https://cache.example.com". */
  readonly url: string;
  /** Name of the bucket. */
  readonly bucket: pulumi.Output<string>;
  /** Names of the caches that it serves. */
  readonly caches: readonly string[];

  constructor(name: string, args: EdgeArgs, opts?: pulumi.ComponentResourceOptions) {
    super("attic-stack:edge:Edge", name, {}, opts);
    const { platform, settings, edge, database, store, server, caches, origin } = args;
    const { account, zone, host } = edge;
    const parent = { parent: this };
    // One account may hold the edges of several stacks.
    const called = `${name}-${platform.instance}`;
    const dataset = edge.countReads ? `${called}-reads`.replaceAll(/\W/g, "_") : undefined;

    const bucket = new EdgeBucket(
      `${name}-bucket`,
      { account, bucketName: called, location: edge.location, protect: platform.protectData },
      parent,
    );
    new EdgeWorker(
      `${name}-worker`,
      {
        account,
        zone,
        host,
        scriptName: called,
        bucketName: bucket.bucketName,
        config: edgeConfig({ settings, edge, caches, server, origin }),
        dataset,
      },
      parent,
    );
    const analytics =
      dataset === undefined
        ? undefined
        : new AccountToken(
            `${name}-reads`,
            {
              account,
              called: `${called} reads`,
              permission: ANALYTICS_READ,
              resource: `com.cloudflare.api.account.${account}`,
            },
            parent,
          );
    new Mirror(
      `${name}-mirror`,
      {
        platform,
        edge,
        claims: settings.server,
        database,
        store,
        server,
        caches,
        bucket,
        reads: analytics && dataset !== undefined ? { token: analytics.value, dataset } : undefined,
      },
      parent,
    );
    this.url = `https://${host}`;
    this.caches = edge.caches;
    this.bucket = bucket.bucketName;
    this.registerOutputs({ url: this.url, bucket: this.bucket });
  }
}
