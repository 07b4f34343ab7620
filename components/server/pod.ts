import type pulumi from "@pulumi/pulumi";
import { DATABASE_CA_FILE, DATABASE_CA_FOLDER } from "../database/index.ts";
import {
  type Container,
  type EnvVar,
  type Labels,
  NOBODY,
  type PodSpec,
  resourceRequirements,
  restrictedContainer,
  restrictedPod,
  scratch,
} from "../platform/index.ts";
import type { ServerSettings } from "../settings/server.ts";
import { LOCAL_STORE_FOLDER } from "./toml.ts";

export const SERVER_PORT = 8080;

const CONFIG_FILE = "/etc/attic/server.toml";
const STORE_CA = { folder: "/etc/attic-store", file: "ca.crt" };

/** What the containers of every pod of Attic share. */
export interface AtticPodArgs {
  settings: ServerSettings;
  /** Name of the Secret with Attic's variables. */
  secret: pulumi.Input<string>;
  /** Name of the ConfigMap with server.toml; the migrations bring theirs with them. */
  configMap?: pulumi.Input<string>;
  /** Name of the ConfigMap with the certificates that sign the database's. */
  databaseCa?: pulumi.Input<string>;
  /** Name of the ConfigMap with the certificates that sign the store's. */
  storeCa?: pulumi.Input<string>;
  /** Name of the volume claim of a local store. */
  claim?: pulumi.Input<string>;
  /** The object store, where there is one: its region, and whether it is another than AWS. */
  s3?: { region: string; customEndpoint: boolean };
  /** Host header for the probes: one that `allowed-hosts` lets through. */
  probeHost: string;
}

/** The API server. */
export function apiContainer(args: AtticPodArgs): Container {
  const probe = {
    httpGet: { path: "/", port: "http", httpHeaders: [{ name: "Host", value: args.probeHost }] },
  };
  return {
    ...atticContainer("api-server", args),
    ports: [{ name: "http", containerPort: SERVER_PORT }],
    resources: resourceRequirements(args.settings.resources),
    startupProbe: { ...probe, periodSeconds: 2, failureThreshold: 60 },
    readinessProbe: { ...probe, periodSeconds: 5, timeoutSeconds: 5 },
    livenessProbe: { ...probe, periodSeconds: 20, timeoutSeconds: 10, failureThreshold: 6 },
    // Time for the gateway to hear that this pod is going, before it is told to go.
    lifecycle: { preStop: { sleep: { seconds: 5 } } },
  };
}

/** The garbage collector, of which there is one. It answers nobody, so it has no probes. */
export function collectorContainer(args: AtticPodArgs): Container {
  return {
    ...atticContainer("garbage-collector", args),
    resources: resourceRequirements(args.settings.garbageCollection.resources),
  };
}

/** The migrations, which end. */
export function migrationsContainer(args: AtticPodArgs, toml: string): Container {
  const base = atticContainer("db-migrations", args);
  return {
    ...base,
    env: [
      ...(base.env as EnvVar[]),
      { name: "ATTIC_SERVER_CONFIG_BASE64", value: Buffer.from(toml).toString("base64") },
    ],
    resources: { requests: { cpu: "50m", memory: "64Mi" }, limits: { memory: "512Mi" } },
  };
}

function atticContainer(mode: string, args: AtticPodArgs): Container {
  const mounts = [
    args.configMap !== undefined && { name: "config", mountPath: "/etc/attic", readOnly: true },
    args.databaseCa !== undefined && { name: "database-ca", mountPath: DATABASE_CA_FOLDER, readOnly: true },
    args.storeCa !== undefined && { name: "store-ca", mountPath: STORE_CA.folder, readOnly: true },
    args.claim !== undefined && { name: "store", mountPath: LOCAL_STORE_FOLDER },
    { name: "tmp", mountPath: "/tmp" },
  ].filter((mount) => mount !== false);
  return restrictedContainer({
    name: mode,
    image: args.settings.image,
    args: [...(args.configMap !== undefined ? ["-f", CONFIG_FILE] : []), "--mode", mode],
    env: environment(args),
    envFrom: [{ secretRef: { name: args.secret } }],
    volumeMounts: mounts,
  });
}

function environment({ s3, storeCa }: AtticPodArgs): EnvVar[] {
  const variables: Record<string, string> = {
    // Without the second part every statement of the database is logged.
    RUST_LOG: "info,sqlx::query=warn",
    HOME: "/tmp",
    // The SDK asks the node's metadata service for what it is not told, and waits where nobody answers.
    ...(s3 && { AWS_REGION: s3.region, AWS_EC2_METADATA_DISABLED: "true" }),
    // Not every server that speaks S3 knows the checksums that newer SDKs add of their own accord.
    ...(s3?.customEndpoint && {
      AWS_REQUEST_CHECKSUM_CALCULATION: "WHEN_REQUIRED",
      AWS_RESPONSE_CHECKSUM_VALIDATION: "WHEN_REQUIRED",
    }),
    ...(storeCa !== undefined && { SSL_CERT_FILE: `${STORE_CA.folder}/${STORE_CA.file}` }),
  };
  return Object.entries(variables).map(([name, value]) => ({ name, value }));
}

/** A pod of Attic with the volumes that its containers mount. */
export function atticPod(args: AtticPodArgs, containers: Container[], more: Partial<PodSpec> = {}): PodSpec {
  const volumes = [
    args.configMap !== undefined && { name: "config", configMap: { name: args.configMap } },
    args.databaseCa !== undefined && {
      name: "database-ca",
      configMap: { name: args.databaseCa, items: [{ key: DATABASE_CA_FILE, path: DATABASE_CA_FILE }] },
    },
    args.storeCa !== undefined && { name: "store-ca", configMap: { name: args.storeCa } },
    args.claim !== undefined && { name: "store", persistentVolumeClaim: { claimName: args.claim } },
    scratch("tmp"),
  ].filter((volume) => volume !== false);
  return restrictedPod(NOBODY, { containers, volumes, ...more });
}

/** Several servers on several nodes and in several zones, as far as there are any. */
export function spread(pods: Labels): Pick<PodSpec, "topologySpreadConstraints"> {
  return {
    topologySpreadConstraints: ["kubernetes.io/hostname", "topology.kubernetes.io/zone"].map(
      (topologyKey) => ({
        maxSkew: 1,
        topologyKey,
        whenUnsatisfiable: "ScheduleAnyway",
        labelSelector: { matchLabels: pods },
        // While servers are rolled, the old ones do not count.
        matchLabelKeys: ["pod-template-hash"],
      }),
    ),
  };
}
