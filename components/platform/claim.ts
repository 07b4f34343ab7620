import k8s from "@pulumi/kubernetes";
import type pulumi from "@pulumi/pulumi";
import type { Role } from "./labels.ts";
import type { Platform } from "./platform.ts";

export interface ClaimSettings {
  size: string;
  storageClass?: string | undefined;
}

/**
 * A volume of its own resource and not of a StatefulSet's template: a template cannot be changed, and so a
 * volume made by one cannot be given more room.
 */
export function claim(
  name: string,
  platform: Platform,
  role: Role,
  settings: ClaimSettings,
  parent: pulumi.Resource,
): k8s.core.v1.PersistentVolumeClaim {
  const metadata = platform.named(name, role);
  return new k8s.core.v1.PersistentVolumeClaim(
    name,
    {
      // Where volumes are made for their first pod, a claim is bound only after what comes next.
      metadata: { ...metadata, annotations: { "pulumi.com/skipAwait": "true" } },
      spec: {
        accessModes: ["ReadWriteOnce"],
        resources: { requests: { storage: settings.size } },
        ...(settings.storageClass !== undefined && { storageClassName: settings.storageClass }),
      },
    },
    // A class decides where a volume is made and never again. Naming another, or the default by its name, would
    // replace the claim, and what is in it would be gone.
    { parent, protect: platform.protectData, ignoreChanges: ["spec.storageClassName"] },
  );
}
