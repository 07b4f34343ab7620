import type { Platform } from "../platform/index.ts";
import { required, type StackSettings } from "../settings/index.ts";
import { ExistingStore } from "./existing.ts";
import { Garage } from "./garage.ts";
import { Minio } from "./minio.ts";
import type { ObjectStore } from "./object-store.ts";
import { Volume } from "./volume.ts";

export type { Backend, LocalStore, ObjectStore, S3Store } from "./object-store.ts";

/** Makes the store that the settings name; behind this nobody asks which kind it is. */
export function createStorage(name: string, settings: StackSettings, platform: Platform): ObjectStore {
  const { storage } = settings;
  switch (storage.kind) {
    case "garage":
      return new Garage(`${name}-garage`, { platform, settings: storage });
    case "minio":
      return new Minio(`${name}-minio`, { platform, settings: storage });
    case "existing": {
      const credentials = {
        accessKeyId: required(settings, "storageAccessKeyId"),
        secretAccessKey: required(settings, "storageSecretAccessKey"),
      };
      return new ExistingStore(`${name}-storage`, { platform, settings: storage, credentials });
    }
    case "volume":
      return new Volume(`${name}-storage`, { platform, settings: storage });
  }
}
