import { join } from "node:path";
import { type PodContainer, words } from "../container.ts";
import { Fault, imageOf, type Container } from "../objects.ts";
import type { Kind, Program, Surroundings } from "../program.ts";
import { withAddress } from "../rewrite.ts";

const CLIENTS = ["mc", "mcli"];

/** The Job that makes a bucket with MinIO's client: `mcli mb --ignore-existing ALIAS/BUCKET`. */
export const bucket: Kind = {
  name: "bucket",
  plays: (container) => ["silo", "minio", "mc"].includes(imageOf(container).name) && makes(container),
  containerPort: () => undefined,
  plan,
};

function makes(container: Container): boolean {
  const [program = "", verb] = words(container);
  return CLIENTS.includes(program.split("/").at(-1) ?? "") && verb === "mb";
}

function plan({ command, args, env }: PodContainer, around: Surroundings): Program {
  const [alias = "", name = ""] = ([...command, ...args].at(-1) ?? "").split("/");
  const variable = `MC_HOST_${alias}`;
  const url = env[variable];
  if (url === undefined || !URL.canParse(url))
    throw new Fault(`${variable} is no address, so the client cannot start`);
  const { username, password } = new URL(url);
  const store = around.store({
    endpoint: url,
    bucket: name,
    region: "us-east-1",
    accessKeyId: decodeURIComponent(username),
    secretAccessKey: decodeURIComponent(password),
  });
  return {
    command: process.execPath,
    args: [join(import.meta.dirname, "../make-bucket.ts"), name],
    env: { STORE: withAddress(url, store.address) },
    after: [store],
    once: true,
    refusesRoot: false,
  };
}
