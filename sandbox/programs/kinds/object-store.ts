import { join } from "node:path";
import { parse, type TomlTable } from "smol-toml";
import { httpAnswers } from "../answers.ts";
import { mountedFile, placeOnHost, type PodContainer, words } from "../container.ts";
import { Fault, imageOf } from "../objects.ts";
import type { Kind, Program, Surroundings } from "../program.ts";

const PORTS: Readonly<Record<string, number>> = { garage: 3900, silo: 9000, minio: 9000 };

/** What an S3 server is set up with. */
export interface StoreSetup {
  /** Holds a folder for each bucket, with a file for each object. */
  objects: string;
  /** Holds what S3 knows of objects besides their content. */
  metadata: string;
  region: string;
  accessKeyId: string;
  secretAccessKey: string;
  /** Made where they are missing. */
  buckets: readonly string[];
}

/**
 * The stores that a stack can have in its cluster: Garage, and MinIO by its fork SILO. One server plays both, with the
 * keys, bucket and region that the pod is configured with.
 */
export const objectStore: Kind = {
  name: "s3",
  plays: (container) => imageOf(container).name in PORTS && words(container).includes("server"),
  containerPort: (container) =>
    (container.ports?.find(({ name }) => name === "s3") ?? container.ports?.[0])?.containerPort ??
    PORTS[imageOf(container).name],
  plan: (it, around) => versitygw(imageOf(it.container).name === "garage" ? garage(it) : minio(it), around),
};

/** The S3 server over files, https://github.com/versity/versitygw. */
export function versitygw(setup: StoreSetup, { port, tools }: Pick<Surroundings, "port" | "tools">): Program {
  const { objects, metadata, region, accessKeyId, secretAccessKey, buckets } = setup;
  return {
    command: tools.versitygw,
    // Not every file system has extended attributes, in which it would keep what it knows of objects.
    args: [
      "--port",
      `127.0.0.1:${port}`,
      "--region",
      region,
      "--quiet",
      "posix",
      "--sidecar",
      metadata,
      objects,
    ],
    env: {
      ROOT_ACCESS_KEY_ID: accessKeyId,
      ROOT_SECRET_ACCESS_KEY: secretAccessKey,
      VGW_DIR_PERMS: "0700",
      VGW_FILE_PERMS: "0600",
    },
    folders: [objects, metadata, ...buckets.map((bucket) => join(objects, bucket))],
    port,
    after: [],
    once: false,
    refusesRoot: false,
    answers: () => httpAnswers(port),
  };
}

/** Garage as its pod sets it up, and refused for what Garage would refuse. */
function garage(it: PodContainer): StoreSetup {
  const {
    GARAGE_DEFAULT_ACCESS_KEY: accessKeyId = "",
    GARAGE_DEFAULT_SECRET_KEY: secretAccessKey = "",
    GARAGE_DEFAULT_BUCKET: bucket = "",
    GARAGE_RPC_SECRET: rpcSecret = "",
    GARAGE_CONFIG_FILE: file = "/etc/garage.toml",
  } = it.env;
  for (const [variable, value, pattern, what] of [
    ["GARAGE_DEFAULT_ACCESS_KEY", accessKeyId, /^GK[0-9a-f]{24}$/, "GK and 24 hexadecimal digits"],
    ["GARAGE_DEFAULT_SECRET_KEY", secretAccessKey, /^[0-9a-f]{64}$/, "64 hexadecimal digits"],
    ["GARAGE_RPC_SECRET", rpcSecret, /^[0-9a-f]{64}$/, "64 hexadecimal digits"],
    ["GARAGE_DEFAULT_BUCKET", bucket, /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/, "the name of a bucket"],
  ] as const) {
    if (!pattern.test(value)) throw new Fault(`${variable} is not ${what}, so Garage would not start`);
  }
  const config = garageToml(mountedFile(file, it));
  const text = (value: unknown) => (typeof value === "string" ? value : "");
  const at = (path: unknown) => placeOnHost(text(path), it);
  return {
    objects: join(at(config.data_dir), "objects"),
    metadata: join(at(config.metadata_dir), "objects"),
    region: text((config.s3_api as TomlTable | undefined)?.s3_region) || "garage",
    accessKeyId,
    secretAccessKey,
    buckets: [bucket],
  };
}

function garageToml(text: string): TomlTable {
  try {
    return parse(text);
  } catch {
    throw new Fault("garage.toml is not TOML, so Garage would not start");
  }
}

/** MinIO as its pod sets it up: `server FOLDER`. Its bucket is made by a Job. */
function minio(it: PodContainer): StoreSetup {
  const {
    MINIO_ROOT_USER: user = "",
    MINIO_ROOT_PASSWORD: password = "",
    MINIO_SITE_REGION: region,
  } = it.env;
  if (user.length < 3 || password.length < 8)
    throw new Fault("MINIO_ROOT_USER has less than 3 or MINIO_ROOT_PASSWORD less than 8 characters");
  const data = it.args[it.args.indexOf("server") + 1] ?? "";
  if (!data.startsWith("/")) throw new Fault("the command line names no folder after `server`");
  const folder = placeOnHost(data, it);
  return {
    objects: join(folder, "objects"),
    metadata: join(folder, "metadata"),
    region: region ?? it.env.MINIO_REGION ?? "us-east-1",
    accessKeyId: user,
    secretAccessKey: password,
    buckets: [],
  };
}
