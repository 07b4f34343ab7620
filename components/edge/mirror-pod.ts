import type pulumi from "@pulumi/pulumi";
import { DATABASE_CA_FILE, DATABASE_CA_FOLDER, DATABASE_CA_PATH } from "../database/index.ts";
import {
  type Container,
  NOBODY,
  type PodSpec,
  resourceRequirements,
  restrictedContainer,
  restrictedPod,
} from "../platform/index.ts";
import type { EdgeSettings } from "../settings/edge.ts";

const FOLDER = "/etc/attic-mirror";
/** The program and its settings, as the ConfigMap holds them. */
export const PROGRAM_FILE = "mirror.cjs";
export const SETTINGS_FILE = "mirror.json";

export interface MirrorPodArgs {
  settings: EdgeSettings["mirror"];
  /** Name of the ConfigMap with the program and its settings. */
  configMap: pulumi.Input<string>;
  /** Name of the Secret with its variables. */
  secret: pulumi.Input<string>;
  /** Name of the ConfigMap with the certificates that sign the database's. */
  databaseCa: pulumi.Input<string> | undefined;
  /** Variables that are no secret. */
  variables: Readonly<Record<string, pulumi.Input<string>>>;
}

/** A pod that runs the mirror's program once. @param mode what of it; without one, it mirrors. */
export function mirrorPod(args: MirrorPodArgs, mode?: "roles"): PodSpec {
  const { configMap, databaseCa } = args;
  return restrictedPod(NOBODY, {
    restartPolicy: "Never",
    containers: [container(args, mode)],
    volumes: [
      { name: "program", configMap: { name: configMap } },
      ...(databaseCa === undefined
        ? []
        : [
            {
              name: "database-ca",
              configMap: { name: databaseCa, items: [{ key: DATABASE_CA_FILE, path: DATABASE_CA_FILE }] },
            },
          ]),
    ],
  });
}

function container(args: MirrorPodArgs, mode: "roles" | undefined): Container {
  const { settings, secret, databaseCa, variables } = args;
  return restrictedContainer({
    name: mode ?? "mirror",
    image: settings.image,
    command: ["node", `${FOLDER}/${PROGRAM_FILE}`, ...(mode === undefined ? [] : [mode])],
    env: Object.entries({
      ...variables,
      MIRROR_CONFIG: `${FOLDER}/${SETTINGS_FILE}`,
      ...(databaseCa !== undefined && { DATABASE_CA: DATABASE_CA_PATH }),
    }).map(([name, value]) => ({ name, value })),
    envFrom: [{ secretRef: { name: secret } }],
    resources: resourceRequirements(settings.resources),
    volumeMounts: [
      { name: "program", mountPath: FOLDER, readOnly: true },
      ...(databaseCa === undefined
        ? []
        : [{ name: "database-ca", mountPath: DATABASE_CA_FOLDER, readOnly: true }]),
    ],
  });
}
