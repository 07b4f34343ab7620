import k8s from "@pulumi/kubernetes";
import pulumi from "@pulumi/pulumi";
import random from "@pulumi/random";
import { claim, type Platform, randomHex, type Role, single } from "../platform/index.ts";
import type { MinioSettings } from "../settings/storage.ts";
import { storeEndpoint } from "./endpoint.ts";
import { bucketPod, MINIO_PORT, MINIO_REGION, MINIO_SECRET_KEYS, minioPod } from "./minio-pod.ts";
import { type Backend, type S3Credentials, type S3Store, STORE_CLIENT } from "./object-store.ts";

const ROLE: Role = { name: "minio", component: "object-store" };
const BUCKET_ROLE: Role = { name: "minio", component: "bucket" };

export interface MinioArgs {
  platform: Platform;
  settings: MinioSettings;
}

/** MinIO in the cluster: one server, and a Job that makes the bucket. The store holds nothing else. */
export class Minio extends pulumi.ComponentResource implements S3Store {
  readonly type = "s3";
  readonly bucket: string;
  readonly region = MINIO_REGION;
  readonly endpoint: string;
  readonly credentials: S3Credentials;
  readonly caBundle?: string;
  readonly backend?: Backend;
  readonly clientLabels = STORE_CLIENT;
  readonly ready: pulumi.Resource = this;

  constructor(name: string, args: MinioArgs, opts?: pulumi.ComponentResourceOptions) {
    super("attic-stack:storage:Minio", name, {}, opts);
    const { platform, settings } = args;
    const parent = { parent: this };
    const pods = platform.selector(ROLE);

    const user = new random.RandomId(`${name}-root-user`, { byteLength: 10 }, parent);
    const password = randomHex(`${name}-root-password`, 20, { parent: this });
    this.bucket = settings.bucket;
    this.credentials = { accessKeyId: user.hex, secretAccessKey: password };
    if (settings.caBundle !== undefined) this.caBundle = settings.caBundle;

    const secret = new k8s.core.v1.Secret(
      `${name}-keys`,
      {
        metadata: platform.unnamed(ROLE),
        stringData: {
          [MINIO_SECRET_KEYS.user]: user.hex,
          [MINIO_SECRET_KEYS.password]: password,
          [MINIO_SECRET_KEYS.address]: pulumi.interpolate`http://${user.hex}:${password}@${name}.${platform.namespaceName}.svc:${MINIO_PORT}`,
        },
      },
      parent,
    );
    const data = claim(`${name}-data`, platform, ROLE, settings, this);
    const service = new k8s.core.v1.Service(
      name,
      {
        metadata: platform.named(name, ROLE),
        spec: {
          selector: pods,
          ports: [{ name: "s3", port: MINIO_PORT, targetPort: "s3", appProtocol: "http" }],
        },
      },
      parent,
    );
    const { endpoint, backend } = storeEndpoint(name, {
      platform,
      role: ROLE,
      settings,
      service: name,
      port: MINIO_PORT,
      parent: this,
    });
    this.endpoint = endpoint;
    if (backend) this.backend = backend;
    const pod = minioPod({ settings, claim: data.metadata.name, secret: secret.metadata.name });
    const server = single(
      name,
      { platform, role: { ...ROLE, image: settings.image }, pod, service: service.metadata.name },
      parent,
    );
    const metadata = platform.unnamed({ ...BUCKET_ROLE, image: settings.image });
    new k8s.batch.v1.Job(
      `${name}-bucket`,
      {
        // One that failed is made again by the next `up`, which would otherwise only find it failed.
        metadata: { ...metadata, annotations: { "pulumi.com/replaceUnready": "true" } },
        spec: {
          backoffLimit: 6,
          template: {
            metadata: { labels: { ...metadata.labels, ...this.clientLabels } },
            spec: bucketPod(settings, secret.metadata.name),
          },
        },
      },
      { parent: this, dependsOn: [server] },
    );
    this.registerOutputs({ bucket: this.bucket, region: this.region, endpoint: this.endpoint });
  }
}
