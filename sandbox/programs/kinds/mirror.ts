import type { Container } from "../objects.ts";
import { type PodContainer, words } from "../container.ts";
import type { Endpoint, Kind, Program, Surroundings } from "../program.ts";
import { placeOf, rewritePaths, rewriteValues, withAddress } from "../rewrite.ts";
import { localDatabaseUrl } from "./database-url.ts";

const DATABASES = ["ADMIN_DATABASE_URL", "DATABASE_URL", "TOUCH_DATABASE_URL"] as const;
const R2 = ".r2.cloudflarestorage.com";

/** The mirror, and the job that makes its roles: what the ConfigMap holds, run by this Node. */
export const mirror: Kind = {
  name: "mirror",
  plays: (container) => plays(container),
  containerPort: () => undefined,
  plan,
};

function plays(container: Container): boolean {
  const [program, file = ""] = words(container);
  return program === "node" && file.endsWith("/mirror.cjs");
}

function plan(it: PodContainer, around: Surroundings): Program {
  const after: Endpoint[] = [];
  const env = { ...it.env };
  for (const name of DATABASES)
    if (env[name] !== undefined) env[name] = localDatabaseUrl(env[name], it, around, after);
  if (env.ATTIC_URL !== undefined) {
    const server = around.server(env.ATTIC_URL);
    after.push(server);
    env.ATTIC_URL = withAddress(env.ATTIC_URL, server.address);
  }
  if (env.S3_ENDPOINT !== undefined) env.S3_ENDPOINT = bucketEndpoint(env.S3_ENDPOINT, it, around, after);
  if (env.ANALYTICS_TOKEN !== undefined) env.ANALYTICS_URL = around.cloudflare().api;
  const [, ...args] = [...it.command, ...it.args];
  return {
    command: process.execPath,
    args: args.map((arg) => rewritePaths(arg, it.mounts)),
    env: rewriteValues(env, it.mounts),
    after,
    once: true,
    refusesRoot: false,
  };
}

/** R2's S3 API is the sandbox's own; any other store is one like Attic's. */
function bucketEndpoint(
  endpoint: string,
  { env }: PodContainer,
  around: Surroundings,
  after: Endpoint[],
): string {
  if (placeOf(endpoint)?.host.endsWith(R2) === true) return around.cloudflare().s3;
  const store = around.store({
    endpoint,
    bucket: env.S3_BUCKET ?? "",
    region: env.S3_REGION ?? "",
    accessKeyId: env.AWS_ACCESS_KEY_ID ?? "",
    secretAccessKey: env.AWS_SECRET_ACCESS_KEY ?? "",
  });
  after.push(store);
  return withAddress(endpoint, store.address);
}
