import type pulumi from "@pulumi/pulumi";
import {
  type PodSpec,
  resourceRequirements,
  restrictedContainer,
  restrictedPod,
  scratch,
} from "../platform/index.ts";
import { connectionBudget, RESERVED } from "../settings/budget.ts";
import type { PostgresSettings } from "../settings/database.ts";
import { bytes } from "../settings/leaf.ts";

export const POSTGRES_PORT = 5432;
export const POSTGRES_USER = "attic";
export const POSTGRES_DATABASE = "attic";

/** `postgres` in the official Debian-based image. */
const USER_ID = 999;
const MIB = 2 ** 20;

/** Attic's connections are TLS only; the socket inside the pod is for a person with `kubectl exec`. */
export const HBA = ["local all all trust", "hostssl all all all scram-sha-256", ""].join("\n");

/**
 * PostgreSQL's settings, from its memory: a quarter for shared buffers and what is left as the guess of the
 * file cache, as its manual has it (19.4); a checkpoint far enough apart for bursts of pushes.
 */
export function postgresParameters(settings: PostgresSettings, replicas: number): Record<string, string> {
  const memory = Math.floor(bytes(settings.resources.memoryLimit) / MIB);
  const needed = connectionBudget(replicas) + RESERVED;
  return {
    max_connections: String(settings.maxConnections ?? Math.max(100, needed)),
    shared_buffers: `${Math.floor(memory / 4)}MB`,
    effective_cache_size: `${Math.floor((memory * 3) / 4)}MB`,
    max_wal_size: "2GB",
    wal_compression: "on",
    ssl: "on",
    ssl_cert_file: "/etc/postgres/tls/tls.crt",
    ssl_key_file: "/etc/postgres/tls/tls.key",
    hba_file: "/etc/postgres/config/pg_hba.conf",
  };
}

export interface PostgresPodArgs {
  settings: PostgresSettings;
  replicas: number;
  claim: pulumi.Input<string>;
  configMap: pulumi.Input<string>;
  passwordSecret: pulumi.Input<string>;
  tlsSecret: pulumi.Input<string>;
}

/** The pod of the one PostgreSQL server. */
export function postgresPod(args: PostgresPodArgs): PodSpec {
  const { settings, replicas, claim, configMap, passwordSecret, tlsSecret } = args;
  // Over TCP: while the image sets a new database up, its server answers on the socket alone.
  const answers = {
    exec: { command: ["pg_isready", "-h", "127.0.0.1", "-U", POSTGRES_USER, "-d", POSTGRES_DATABASE] },
  };
  return restrictedPod(USER_ID, {
    terminationGracePeriodSeconds: 60,
    containers: [
      restrictedContainer({
        name: "postgres",
        image: settings.image,
        args: Object.entries(postgresParameters(settings, replicas)).flatMap(([key, value]) => [
          "-c",
          `${key}=${value}`,
        ]),
        env: [
          { name: "POSTGRES_USER", value: POSTGRES_USER },
          { name: "POSTGRES_DB", value: POSTGRES_DATABASE },
          { name: "POSTGRES_PASSWORD_FILE", value: "/etc/postgres/password/password" },
        ],
        ports: [{ name: "postgres", containerPort: POSTGRES_PORT }],
        resources: resourceRequirements(settings.resources),
        startupProbe: { ...answers, periodSeconds: 2, failureThreshold: 150 },
        readinessProbe: { ...answers, periodSeconds: 10, timeoutSeconds: 5 },
        livenessProbe: { ...answers, periodSeconds: 20, timeoutSeconds: 10, failureThreshold: 6 },
        volumeMounts: [
          // From version 18 on the image keeps each version's data in a folder of its own below this.
          { name: "data", mountPath: "/var/lib/postgresql" },
          { name: "config", mountPath: "/etc/postgres/config", readOnly: true },
          { name: "password", mountPath: "/etc/postgres/password", readOnly: true },
          { name: "tls", mountPath: "/etc/postgres/tls", readOnly: true },
          { name: "run", mountPath: "/var/run/postgresql" },
          { name: "tmp", mountPath: "/tmp" },
          { name: "shm", mountPath: "/dev/shm" },
        ],
      }),
    ],
    volumes: [
      { name: "data", persistentVolumeClaim: { claimName: claim } },
      { name: "config", configMap: { name: configMap } },
      { name: "password", secret: { secretName: passwordSecret, defaultMode: 0o440 } },
      // PostgreSQL refuses a key that others can read.
      { name: "tls", secret: { secretName: tlsSecret, defaultMode: 0o440 } },
      scratch("run"),
      scratch("tmp"),
      // A container's own /dev/shm has 64 MB, which parallel queries outgrow.
      { name: "shm", emptyDir: { medium: "Memory", sizeLimit: "256Mi" } },
    ],
  });
}
