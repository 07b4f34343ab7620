import k8s from "@pulumi/kubernetes";
import pulumi from "@pulumi/pulumi";
import random from "@pulumi/random";
import { claim, type Platform, randomHex, type Role, single } from "../platform/index.ts";
import type { GarageSettings } from "../settings/storage.ts";
import { storeEndpoint } from "./endpoint.ts";
import { GARAGE_PORT, GARAGE_REGION, garagePod, garageToml } from "./garage-pod.ts";
import { type Backend, type S3Credentials, type S3Store, STORE_CLIENT } from "./object-store.ts";

const ROLE: Role = { name: "garage", component: "object-store" };

export interface GarageArgs {
  platform: Platform;
  settings: GarageSettings;
}

/** Garage in the cluster: one node that makes its bucket and key before anybody asks for them. */
export class Garage extends pulumi.ComponentResource implements S3Store {
  readonly type = "s3";
  readonly bucket: string;
  readonly region = GARAGE_REGION;
  readonly endpoint: string;
  readonly credentials: S3Credentials;
  readonly caBundle?: string;
  readonly backend?: Backend;
  readonly clientLabels = STORE_CLIENT;
  readonly ready: pulumi.Resource = this;

  constructor(name: string, args: GarageArgs, opts?: pulumi.ComponentResourceOptions) {
    super("attic-stack:storage:Garage", name, {}, opts);
    const { platform, settings } = args;
    const parent = { parent: this };
    const pods = platform.selector(ROLE);

    const keyId = new random.RandomId(`${name}-access-key-id`, { byteLength: 12 }, parent);
    const secretKey = randomHex(`${name}-secret-access-key`, 32, { parent: this });
    const rpcSecret = randomHex(`${name}-rpc-secret`, 32, { parent: this });
    const adminToken = randomHex(`${name}-admin-token`, 32, { parent: this });
    this.bucket = settings.bucket;
    // The form that every version of Garage takes: GK and 24 hexadecimal digits.
    this.credentials = { accessKeyId: pulumi.interpolate`GK${keyId.hex}`, secretAccessKey: secretKey };
    if (settings.caBundle !== undefined) this.caBundle = settings.caBundle;

    const secret = new k8s.core.v1.Secret(
      `${name}-keys`,
      {
        metadata: platform.unnamed(ROLE),
        stringData: {
          GARAGE_DEFAULT_ACCESS_KEY: this.credentials.accessKeyId,
          GARAGE_DEFAULT_SECRET_KEY: this.credentials.secretAccessKey,
          GARAGE_RPC_SECRET: rpcSecret,
          GARAGE_ADMIN_TOKEN: adminToken,
        },
      },
      parent,
    );
    const config = new k8s.core.v1.ConfigMap(
      `${name}-config`,
      { metadata: platform.unnamed(ROLE), data: { "garage.toml": garageToml() } },
      parent,
    );
    const { storageClass } = settings;
    const data = claim(`${name}-data`, platform, ROLE, settings, this);
    const metadata = claim(
      `${name}-metadata`,
      platform,
      ROLE,
      { size: settings.metadataSize, storageClass },
      this,
    );
    const service = new k8s.core.v1.Service(
      name,
      {
        metadata: platform.named(name, ROLE),
        spec: {
          selector: pods,
          ports: [{ name: "s3", port: GARAGE_PORT, targetPort: "s3", appProtocol: "http" }],
        },
      },
      parent,
    );
    const { endpoint, backend } = storeEndpoint(name, {
      platform,
      role: ROLE,
      settings,
      service: name,
      port: GARAGE_PORT,
      parent: this,
    });
    this.endpoint = endpoint;
    if (backend) this.backend = backend;
    const pod = garagePod({
      settings,
      dataClaim: data.metadata.name,
      metadataClaim: metadata.metadata.name,
      configMap: config.metadata.name,
      secret: secret.metadata.name,
    });
    single(
      name,
      { platform, role: { ...ROLE, image: settings.image }, pod, service: service.metadata.name },
      parent,
    );
    this.registerOutputs({ bucket: this.bucket, region: this.region, endpoint: this.endpoint });
  }
}
