import type pulumi from "@pulumi/pulumi";
import type { Labels } from "../platform/index.ts";

/** A service that the gateway publishes under a host name of its own. */
export interface Backend {
  /** What it is, in one word: it names the objects that publish it. */
  name: string;
  /** Its public host name. */
  host: string;
  /** The Service, and the port of it. */
  service: pulumi.Input<string>;
  port: number;
  /** Labels of its pods and the port that they listen on: what the gateway is let through to. */
  pods: Labels;
  podPort: number;
}

interface Common {
  /** Labels that let a pod through to it. */
  readonly clientLabels: Labels;
  /** What has to be there before the first chunk: with an object store, its bucket too. */
  readonly ready: pulumi.Resource;
}

export interface S3Credentials {
  accessKeyId: pulumi.Output<string>;
  /** A secret. */
  secretAccessKey: pulumi.Output<string>;
}

/** An S3 bucket, whatever serves it. */
export interface S3Store extends Common {
  readonly type: "s3";
  readonly bucket: string;
  readonly region: string;
  /** Address that servers and clients both use, because Attic redirects clients to it; without it, AWS. */
  readonly endpoint?: string;
  readonly credentials: S3Credentials;
  /** Certificates in PEM form that sign the endpoint's, where they are not public ones. */
  readonly caBundle?: string;
  /** What the gateway has to publish so that `endpoint` works. */
  readonly backend?: Backend;
}

/** A volume that one pod may use. */
export interface LocalStore extends Common {
  readonly type: "local";
  /** Name of the PersistentVolumeClaim. */
  readonly claim: pulumi.Output<string>;
}

/** Where chunks are kept, in the two forms that Attic knows (`storage.type` in server.toml). */
export type ObjectStore = S3Store | LocalStore;

export const STORE_CLIENT: Labels = { "attic-stack/object-store-client": "true" };
