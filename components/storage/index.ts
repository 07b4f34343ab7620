import pulumi from "@pulumi/pulumi";
import type { Platform } from "../platform/index.ts";
import type { StackSettings } from "../settings/index.ts";
import { ExistingStore } from "./existing.ts";
import { Garage } from "./garage.ts";
import { Minio } from "./minio.ts";
import type { ObjectStore } from "./object-store.ts";
import { Volume } from "./volume.ts";

export type { Backend, LocalStore, ObjectStore, S3Store } from "./object-store.ts";

/** Makes the store that the settings name; behind this nobody asks which kind it is. */
export function createStorage(name: string, settings: StackSettings, platform: Platform): ObjectStore {
  const { storage, secrets } = settings;
  switch (storage.kind) {
    case "garage":
      return new Garage(`${name}-garage`, { platform, settings: storage });
    case "minio":
      return new Minio(`${name}-minio`, { platform, settings: storage });
    case "existing": {
      // The settings' rules have made sure of both.
      const accessKeyId = secrets.storageAccessKeyId ?? pulumi.secret("");
      const secretAccessKey = secrets.storageSecretAccessKey ?? pulumi.secret("");
      const credentials = { accessKeyId, secretAccessKey };
      return new ExistingStore(`${name}-storage`, { platform, settings: storage, credentials });
    }
    case "volume":
      return new Volume(`${name}-storage`, { platform, settings: storage });
  }
}
