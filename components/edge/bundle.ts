import { fileURLToPath } from "node:url";

/**
 * The Worker as one ES module: these very bytes go to Cloudflare, to the sandbox and to the tests. The same sources
 * make the same bytes, so that a deployment with nothing new is none.
 */
export async function bundleWorker(): Promise<string> {
  // Most runs deploy no edge.
  const { build } = await import("esbuild");
  const folder = fileURLToPath(new URL("worker/", import.meta.url));
  const { outputFiles } = await build({
    absWorkingDir: folder,
    entryPoints: ["index.ts"],
    bundle: true,
    minify: true,
    format: "esm",
    platform: "neutral",
    target: "es2024",
    charset: "utf8",
    legalComments: "none",
    write: false,
    logLevel: "silent",
  });
  const [file] = outputFiles;
  if (file === undefined) throw new Error("The bundler has made nothing of the Worker.");
  return file.text;
}
