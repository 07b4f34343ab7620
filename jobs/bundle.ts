import { join } from "node:path";

/** The programs here that run inside the cluster, each a folder with a `main.ts`. */
export type Job = "mirror";

/** What Kubernetes takes in a ConfigMap is 1 MiB, and some of it is for the rest. */
const MOST = 900_000;

/**
 * Makes one file of a job, to be put into a ConfigMap and run by Node: the same text for the same sources.
 *
 * @returns the text of a CommonJS module (`mirror.cjs`), in ASCII.
 * @throws Error where it is too large for a ConfigMap.
 */
export async function bundleJob(job: Job): Promise<string> {
  // Most stacks have no such job.
  const { build } = await import("esbuild");
  const { outputFiles } = await build({
    entryPoints: [join(import.meta.dirname, job, "main.ts")],
    absWorkingDir: join(import.meta.dirname, ".."),
    bundle: true,
    minify: true,
    write: false,
    platform: "node",
    target: "node24",
    format: "cjs",
    charset: "ascii",
    legalComments: "none",
    // What pg asks for only where it is there.
    external: ["pg-native", "cloudflare:sockets"],
    logLevel: "silent",
  });
  const text = outputFiles[0]?.text ?? "";
  if (text.length > MOST)
    throw new Error(`The job ${job} is ${text.length} bytes; a ConfigMap takes no more than ${MOST}.`);
  return text;
}
