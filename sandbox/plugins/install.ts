import { createHash, randomUUID } from "node:crypto";
import { accessSync, constants } from "node:fs";
import { mkdir, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { delimiter, dirname, join } from "node:path";
import { build } from "esbuild";
import { UserError } from "../support/user-error.ts";

/** The plugins that the sandbox plays, each a folder here with a `main.ts`. */
export const STAND_INS = ["kubernetes", "random", "tls"] as const;

/** The Node language host, which comes with an official CLI and not with one that was built. */
const LANGUAGE_HOST = "pulumi-language-nodejs";

const here = import.meta.dirname;

/**
 * Makes a folder of executables that, put first on PATH, the engine takes for the official plugins:
 * `pulumi-resource-<name>` for each stand-in, and the Node language host where the CLI came without one.
 *
 * @param options.folder where the bundles are kept; made again only where a source changed.
 * @param options.node path of the Node that runs them.
 * @param options.cli path of the CLI: where the language host stands beside it, that one is used.
 * @param options.real names of plugins that are to be taken from PATH as they are.
 * @returns the folder of the executables.
 * @throws UserError where a plugin named in `real` is not on PATH or is unknown.
 */
export async function installPlugins(options: {
  folder: string;
  node: string;
  cli: string;
  real: readonly string[];
}): Promise<string> {
  const { folder, node, cli, real } = options;
  for (const name of real) requireOnPath(`pulumi-resource-${name}`, join(folder, "bin"));
  const played = STAND_INS.filter((name) => !real.includes(name));
  const bundles = await bundle(join(folder, "bundles"));
  const bin = join(folder, "bin");
  await mkdir(bin, { recursive: true });
  const scripts = new Map(
    played.map((name) => [`pulumi-resource-${name}`, script(node, join(bundles, `${name}.cjs`))]),
  );
  if (!isExecutable(join(dirname(cli), LANGUAGE_HOST))) {
    scripts.set(LANGUAGE_HOST, script(node, join(bundles, "language.cjs")));
  }
  for (const [file, text] of scripts) await write(join(bin, file), text, 0o755);
  for (const file of await readdir(bin)) if (!scripts.has(file)) await rm(join(bin, file), { force: true });
  return bin;
}

function requireOnPath(file: string, bin: string): void {
  const folders = (process.env.PATH ?? "").split(delimiter).filter((entry) => entry !== "" && entry !== bin);
  if (!folders.some((entry) => isExecutable(join(entry, file)))) {
    throw new UserError(
      `SANDBOX_REAL asks for the official plugin ${file}, and no folder on PATH has an executable of that ` +
        `name. Install it (pulumi plugin install, or a package of your system) and put its folder on PATH, ` +
        `or leave the name out of SANDBOX_REAL.`,
    );
  }
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** Bundles the plugins into `<folder>/<hash>/`, which is there whole or not at all. */
async function bundle(folder: string): Promise<string> {
  const made = join(folder, await sourcesHash());
  const names = await readdir(folder).catch(() => []);
  if (names.some((name) => join(folder, name) === made)) return made;
  const draft = join(folder, `draft-${randomUUID()}`);
  await build({
    entryPoints: Object.fromEntries(
      [...STAND_INS, "language"].map((name) => [name, join(here, name, "main.ts")]),
    ),
    outdir: draft,
    outExtension: { ".js": ".cjs" },
    bundle: true,
    platform: "node",
    target: "node24",
    format: "cjs",
    // Half the size is half the time that Node takes to read it at each start; names stay, for stack traces.
    minifyWhitespace: true,
    minifySyntax: true,
    legalComments: "none",
    logLevel: "silent",
  });
  try {
    await rename(draft, made);
  } catch (error) {
    // Somebody else was quicker: theirs has the same contents.
    await rm(draft, { recursive: true, force: true });
    if (!(await readdir(made).catch(() => [])).length) throw error;
  }
  for (const name of names) await rm(join(folder, name), { recursive: true, force: true });
  return made;
}

async function sourcesHash(): Promise<string> {
  const hash = createHash("sha256");
  const lock = join(here, "../../package-lock.json");
  const sources = (await readdir(here, { recursive: true })).filter((file) => file.endsWith(".ts")).sort();
  for (const path of [lock, ...sources.map((file) => join(here, file))]) {
    hash.update(path.slice(here.length)).update("\0");
    hash.update(await readFile(path)).update("\0");
  }
  return hash.digest("hex").slice(0, 16);
}

function script(node: string, file: string): string {
  const quote = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`;
  return `#!/bin/sh\nexec ${quote(node)} ${quote(file)} "$@"\n`;
}

async function write(path: string, text: string, mode: number): Promise<void> {
  if ((await readFile(path, "utf8").catch(() => "")) === text) return;
  const draft = `${path}.${randomUUID()}`;
  await writeFile(draft, text, { mode });
  await rename(draft, path);
}
