import type pulumi from "@pulumi/pulumi";
import {
  NOBODY,
  type PodSpec,
  resourceRequirements,
  restrictedContainer,
  restrictedPod,
  scratch,
} from "../platform/index.ts";
import type { MinioSettings } from "../settings/storage.ts";

export const MINIO_PORT = 9000;

/** The region that MinIO signs for where nothing else is set. */
export const MINIO_REGION = "us-east-1";

/** Root credentials in the names of MinIO, and the same as an address for its client. */
export const MINIO_SECRET_KEYS = {
  user: "MINIO_ROOT_USER",
  password: "MINIO_ROOT_PASSWORD",
  address: "MC_HOST_store",
};

export interface MinioPodArgs {
  settings: MinioSettings;
  claim: pulumi.Input<string>;
  secret: pulumi.Input<string>;
}

/** The pod of the one MinIO server. */
export function minioPod(args: MinioPodArgs): PodSpec {
  const { settings, claim, secret } = args;
  const { user, password } = MINIO_SECRET_KEYS;
  return restrictedPod(NOBODY, {
    terminationGracePeriodSeconds: 60,
    containers: [
      restrictedContainer({
        name: "minio",
        image: settings.image,
        args: ["server", "/data", "--address", `:${MINIO_PORT}`],
        env: [
          fromSecret(user, secret),
          fromSecret(password, secret),
          // Nobody asks its console, and it would be one more thing to close.
          { name: "MINIO_BROWSER", value: "off" },
          { name: "HOME", value: "/tmp" },
        ],
        ports: [{ name: "s3", containerPort: MINIO_PORT }],
        resources: resourceRequirements(settings.resources),
        startupProbe: {
          httpGet: { path: "/minio/health/ready", port: "s3" },
          periodSeconds: 2,
          failureThreshold: 150,
        },
        readinessProbe: {
          httpGet: { path: "/minio/health/ready", port: "s3" },
          periodSeconds: 10,
          timeoutSeconds: 5,
        },
        livenessProbe: {
          httpGet: { path: "/minio/health/live", port: "s3" },
          periodSeconds: 20,
          timeoutSeconds: 10,
        },
        volumeMounts: [
          { name: "data", mountPath: "/data" },
          { name: "tmp", mountPath: "/tmp" },
        ],
      }),
    ],
    volumes: [{ name: "data", persistentVolumeClaim: { claimName: claim } }, scratch("tmp")],
  });
}

/** The pod that makes the bucket, by the client in the same image; made already is as good. */
export function bucketPod(settings: MinioSettings, secret: pulumi.Input<string>): PodSpec {
  return restrictedPod(NOBODY, {
    restartPolicy: "OnFailure",
    containers: [
      restrictedContainer({
        name: "bucket",
        image: settings.image,
        command: ["mcli", "mb", "--ignore-existing", `store/${settings.bucket}`],
        env: [fromSecret(MINIO_SECRET_KEYS.address, secret), { name: "MC_CONFIG_DIR", value: "/tmp/mc" }],
        resources: { requests: { cpu: "10m", memory: "64Mi" }, limits: { memory: "256Mi" } },
        volumeMounts: [{ name: "tmp", mountPath: "/tmp" }],
      }),
    ],
    volumes: [scratch("tmp")],
  });
}

function fromSecret(key: string, secret: pulumi.Input<string>) {
  return { name: key, valueFrom: { secretKeyRef: { name: secret, key } } };
}
