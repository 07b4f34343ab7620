import k8s from "@pulumi/kubernetes";
import pulumi from "@pulumi/pulumi";
import { bundleJob } from "../../jobs/bundle.ts";
import { AccessToken } from "../attic/access-token.ts";
import type { Caches } from "../attic/caches.ts";
import { type Database, DATABASE_CA_FILE } from "../database/index.ts";
import { fromPods, type Platform, randomHex, type Role, toAnywhere, toPods } from "../platform/index.ts";
import type { AtticServer } from "../server/index.ts";
import { seconds } from "../settings/leaf.ts";
import type { EdgeSettings } from "../settings/edge.ts";
import type { StackSettings } from "../settings/index.ts";
import type { ObjectStore } from "../storage/index.ts";
import { asRole } from "./as-role.ts";
import type { EdgeBucket } from "./bucket.ts";
import { mirrorPod, type MirrorPodArgs, PROGRAM_FILE, SETTINGS_FILE } from "./mirror-pod.ts";

const ROLE: Role = { name: "attic", component: "mirror" };
/** Made once a year at most, by whoever runs `pulumi up` in the second half of it. */
const TOKEN = { validity: "1y", renewBefore: "180d" };
/** A run that hangs ends before it would keep the edge from what is new for more than half a day, in seconds. */
const LONGEST_RUN = 12 * 3600;

export interface MirrorArgs {
  platform: Platform;
  edge: EdgeSettings;
  /** What the server demands of every token. */
  claims: Pick<StackSettings["server"], "tokenIssuer" | "tokenAudiences">;
  database: Database;
  store: ObjectStore;
  server: AtticServer;
  caches: Caches;
  bucket: EdgeBucket;
  /** The account's token for the Analytics Engine, where reads are counted, and the dataset. */
  reads: { token: pulumi.Output<string>; dataset: string } | undefined;
}

/**
 * The job that copies what is in the caches to the edge's bucket. It sees the database by two roles of its own: one
 * that can read what is in which cache and no signing key, and one that can move the time of a path's last use.
 */
export class Mirror extends pulumi.ComponentResource {
  constructor(name: string, args: MirrorArgs, opts?: pulumi.ComponentResourceOptions) {
    super("attic-stack:edge:Mirror", name, {}, opts);
    const { platform, edge, claims, database, store, server, caches, bucket, reads } = args;
    const parent = { parent: this };
    const settings = edge.mirror;
    const token = new AccessToken(
      name,
      {
        subject: name,
        permissions: edge.caches.map((cache) => ({ cache, allow: ["pull"] })),
        ...TOKEN,
        ...(claims.tokenIssuer !== undefined && { issuer: claims.tokenIssuer }),
        ...(claims.tokenAudiences !== undefined && { audiences: [...claims.tokenAudiences] }),
      },
      { parent: this, provider: caches.provider },
    );
    const passwords = {
      reader: randomHex(`${name}-reader`, 24, parent),
      toucher: randomHex(`${name}-toucher`, 24, parent),
    };
    const reader = asRole(database.url, "mirror", passwords.reader);
    const toucher = asRole(database.url, "mirror_uses", passwords.toucher);
    const configMap = new k8s.core.v1.ConfigMap(
      name,
      {
        metadata: platform.unnamed(ROLE),
        data: {
          [PROGRAM_FILE]: pulumi.output(bundleJob("mirror")),
          [SETTINGS_FILE]: JSON.stringify({
            caches: edge.caches,
            concurrency: settings.concurrency,
            graceSeconds: seconds(settings.grace),
          }),
        },
      },
      parent,
    ).metadata.name;
    const secret = (part: string, stringData: Record<string, pulumi.Input<string>>) =>
      new k8s.core.v1.Secret(`${name}-${part}`, { metadata: platform.unnamed(ROLE), stringData }, parent)
        .metadata.name;
    const pod: Omit<MirrorPodArgs, "secret" | "variables"> = {
      settings,
      configMap,
      databaseCa:
        database.caBundle &&
        new k8s.core.v1.ConfigMap(
          `${name}-database-ca`,
          { metadata: platform.unnamed(ROLE), data: { [DATABASE_CA_FILE]: database.caBundle } },
          parent,
        ).metadata.name,
    };
    const metadata = platform.unnamed({ ...ROLE, image: settings.image });
    const labels = { ...metadata.labels, ...database.clientLabels, ...store.clientLabels };

    const roles = new k8s.batch.v1.Job(
      `${name}-roles`,
      {
        metadata: { ...metadata, annotations: { "pulumi.com/replaceUnready": "true" } },
        spec: {
          backoffLimit: 6,
          activeDeadlineSeconds: 540,
          template: {
            metadata: { labels },
            spec: mirrorPod(
              {
                ...pod,
                secret: secret("roles", {
                  ADMIN_DATABASE_URL: database.url,
                  DATABASE_URL: reader,
                  TOUCH_DATABASE_URL: toucher,
                }),
                variables: {},
              },
              "roles",
            ),
          },
        },
      },
      { parent: this, dependsOn: [server.ready] },
    );
    new k8s.batch.v1.CronJob(
      name,
      {
        metadata: platform.named(name, { ...ROLE, image: settings.image }),
        spec: {
          schedule: settings.schedule,
          // Two at once would do the same work twice.
          concurrencyPolicy: "Forbid",
          startingDeadlineSeconds: 300,
          successfulJobsHistoryLimit: 1,
          failedJobsHistoryLimit: 3,
          jobTemplate: {
            metadata: { labels: metadata.labels },
            spec: {
              // The next run is soon enough, and takes up what this one has left.
              backoffLimit: 0,
              activeDeadlineSeconds: LONGEST_RUN,
              template: {
                metadata: { labels },
                spec: mirrorPod({
                  ...pod,
                  secret: secret("environment", {
                    DATABASE_URL: reader,
                    ATTIC_TOKEN: token.value,
                    AWS_ACCESS_KEY_ID: bucket.keys.accessKeyId,
                    AWS_SECRET_ACCESS_KEY: bucket.keys.secretAccessKey,
                    ...(reads && { TOUCH_DATABASE_URL: toucher, ANALYTICS_TOKEN: reads.token }),
                  }),
                  variables: {
                    ATTIC_URL: pulumi.interpolate`http://${server.service}.${platform.namespaceName}.svc:${server.port}/`,
                    S3_ENDPOINT: bucket.endpoint,
                    S3_REGION: bucket.region,
                    S3_BUCKET: bucket.bucketName,
                    ...(reads && { ANALYTICS_ACCOUNT: edge.account, ANALYTICS_DATASET: reads.dataset }),
                  },
                }),
              },
            },
          },
        },
      },
      { parent: this, dependsOn: [roles] },
    );

    const pods = platform.selector(ROLE);
    const { pods: servers, podPort } = server.backend;
    platform.allow(
      name,
      pods,
      // To the server, and to Cloudflare's addresses, which are many and move.
      { egress: [toPods(servers, podPort), toAnywhere(443)] },
      { role: ROLE, parent: this },
    );
    platform.allow(
      `${name}-server`,
      servers,
      { ingress: [fromPods(pods, podPort)] },
      { role: ROLE, parent: this },
    );
    this.registerOutputs({});
  }
}
