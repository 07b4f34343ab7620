import type pulumi from "@pulumi/pulumi";
import { stringify } from "smol-toml";
import {
  NOBODY,
  type PodSpec,
  resourceRequirements,
  restrictedContainer,
  restrictedPod,
  scratch,
} from "../platform/index.ts";
import type { GarageSettings } from "../settings/storage.ts";

export const GARAGE_PORT = 3900;
const RPC_PORT = 3901;
const ADMIN_PORT = 3903;

/** The region that presigned URLs are signed for; it must be the same on both sides. */
export const GARAGE_REGION = "garage";

/**
 * garage.toml of a store of one node. What is secret in it comes from the environment.
 *
 * https://garagehq.deuxfleurs.fr/documentation/reference-manual/configuration/
 */
export function garageToml(): string {
  return stringify({
    metadata_dir: "/var/lib/garage/meta",
    data_dir: "/var/lib/garage/data",
    db_engine: "lmdb",
    // There is no other node to mend this one from, so what it has confirmed has to be on its disk.
    metadata_fsync: true,
    data_fsync: true,
    // What a person goes back to where the disk itself has damaged the metadata.
    metadata_auto_snapshot_interval: "6h",
    replication_factor: 1,
    rpc_bind_addr: `[::]:${RPC_PORT}`,
    rpc_public_addr: `127.0.0.1:${RPC_PORT}`,
    s3_api: { s3_region: GARAGE_REGION, api_bind_addr: `[::]:${GARAGE_PORT}` },
    admin: { api_bind_addr: `[::]:${ADMIN_PORT}` },
  });
}

export interface GaragePodArgs {
  settings: GarageSettings;
  dataClaim: pulumi.Input<string>;
  metadataClaim: pulumi.Input<string>;
  configMap: pulumi.Input<string>;
  secret: pulumi.Input<string>;
}

/** The pod of the one Garage node. It lays itself out and makes the bucket and its key at its first start. */
export function garagePod(args: GaragePodArgs): PodSpec {
  const { settings, dataClaim, metadataClaim, configMap, secret } = args;
  const health = { httpGet: { path: "/health", port: "admin" } };
  return restrictedPod(NOBODY, {
    terminationGracePeriodSeconds: 60,
    containers: [
      restrictedContainer({
        name: "garage",
        image: settings.image,
        command: ["/garage"],
        args: ["server", "--single-node", "--default-bucket"],
        env: [{ name: "GARAGE_DEFAULT_BUCKET", value: settings.bucket }],
        envFrom: [{ secretRef: { name: secret } }],
        ports: [
          { name: "s3", containerPort: GARAGE_PORT },
          { name: "admin", containerPort: ADMIN_PORT },
        ],
        resources: resourceRequirements(settings.resources),
        startupProbe: { ...health, periodSeconds: 2, failureThreshold: 150 },
        readinessProbe: { ...health, periodSeconds: 10, timeoutSeconds: 5 },
        // Restarting a node that answers but is not healthy makes nothing better.
        livenessProbe: { tcpSocket: { port: "s3" }, periodSeconds: 20, timeoutSeconds: 10 },
        volumeMounts: [
          { name: "config", mountPath: "/etc/garage.toml", subPath: "garage.toml", readOnly: true },
          { name: "data", mountPath: "/var/lib/garage/data" },
          { name: "metadata", mountPath: "/var/lib/garage/meta" },
          { name: "tmp", mountPath: "/tmp" },
        ],
      }),
    ],
    volumes: [
      { name: "config", configMap: { name: configMap } },
      { name: "data", persistentVolumeClaim: { claimName: dataClaim } },
      { name: "metadata", persistentVolumeClaim: { claimName: metadataClaim } },
      scratch("tmp"),
    ],
  });
}
