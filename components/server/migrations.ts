import k8s from "@pulumi/kubernetes";
import type pulumi from "@pulumi/pulumi";
import { stringify } from "smol-toml";
import type { Labels, Platform, Role } from "../platform/index.ts";
import { type AtticPodArgs, atticPod, migrationsContainer } from "./pod.ts";

/** A Job that failed is made again by the next `up`, which would otherwise only find it failed. */
const AGAIN = { "pulumi.com/replaceUnready": "true" };

const ROLE: Role = { name: "attic", component: "migrations" };

export interface MigrationsArgs {
  platform: Platform;
  pod: AtticPodArgs;
  clientLabels: Labels;
}

/**
 * A Job that brings the database's tables to the version of the image. It runs before the servers of that
 * version start, and once for it: Attic's migrations take no lock. Where it fails the servers of the old
 * version stay. Its configuration is as small as Attic allows, so that a change of server.toml does not
 * migrate again.
 */
export function migrations(
  name: string,
  args: MigrationsArgs,
  opts: pulumi.CustomResourceOptions,
): k8s.batch.v1.Job {
  const { platform, clientLabels } = args;
  const { configMap, claim, storeCa, s3, ...pod } = args.pod;
  const metadata = platform.unnamed({ ...ROLE, image: pod.settings.image });
  return new k8s.batch.v1.Job(
    name,
    {
      metadata: { ...metadata, annotations: AGAIN },
      spec: {
        backoffLimit: 6,
        activeDeadlineSeconds: 540,
        template: {
          metadata: { labels: { ...metadata.labels, ...clientLabels } },
          spec: atticPod(pod, [migrationsContainer(pod, MIGRATIONS_TOML)], { restartPolicy: "Never" }),
        },
      },
    },
    opts,
  );
}

/** What Attic wants to read before it does anything; the migrations use only the database. */
const MIGRATIONS_TOML = stringify({
  database: {},
  storage: { type: "local", path: "/tmp" },
  chunking: { "nar-size-threshold": 0, "min-size": 16384, "avg-size": 65536, "max-size": 262144 },
});
