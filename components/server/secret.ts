import k8s from "@pulumi/kubernetes";
import type pulumi from "@pulumi/pulumi";
import type { Database } from "../database/index.ts";
import type { Platform, Role } from "../platform/index.ts";
import type { ObjectStore } from "../storage/index.ts";
import { SIGNING_KEY_VARIABLE, type SigningKey } from "./signing-key.ts";

export interface ServerSecretArgs {
  platform: Platform;
  role: Role;
  database: Database;
  store: ObjectStore;
  signingKey: SigningKey;
}

/** The Secret with all that Attic is told in confidence, under the names of the variables it reads. */
export function serverSecret(
  name: string,
  args: ServerSecretArgs,
  parent: pulumi.Resource,
): pulumi.Output<string> {
  const { platform, role, database, store, signingKey } = args;
  const stringData = {
    ATTIC_SERVER_DATABASE_URL: database.url,
    [SIGNING_KEY_VARIABLE[signingKey.algorithm]]: signingKey.secret,
    ...(store.type === "s3" && {
      AWS_ACCESS_KEY_ID: store.credentials.accessKeyId,
      AWS_SECRET_ACCESS_KEY: store.credentials.secretAccessKey,
    }),
  };
  return new k8s.core.v1.Secret(name, { metadata: platform.unnamed(role), stringData }, { parent }).metadata
    .name;
}
