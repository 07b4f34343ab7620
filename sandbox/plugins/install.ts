import { createHash, randomUUID } from "node:crypto";
import { accessSync, constants } from "node:fs";
import { readdir, readFile, rename, rm } from "node:fs/promises";
import { delimiter, dirname, join, relative } from "node:path";
import { build } from "esbuild";
import { ROOT } from "../paths.ts";
import { writeFileAtomically } from "../support/files.ts";
import { UserError } from "../support/user-error.ts";

/** The plugins that the sandbox plays, each a folder here with a `main.ts`. */
export const STAND_INS = ["cloudflare", "kubernetes", "random", "tls"] as const;

const here = import.meta.dirname;

/**
 * Puts plugins where the engine looks for those that it has downloaded, `<home>/plugins/<kind>-<name>-v<version>/`,
 * in the versions that the project's packages ask for: a stand-in for each, or the official one from PATH. With
 * them goes the Node language host, where the CLI came without one.
 *
 * @param options.folder where the bundles are kept; made again only where a source changed.
 * @param options.home the engine's own folder (PULUMI_HOME).
 * @param options.node path of the Node that runs them.
 * @param options.cli path of the CLI: where the language host stands beside it, that one is used.
 * @param options.real names of plugins that are to be taken from PATH.
 * @throws UserError where a plugin named in `real` is not on PATH.
 */
export async function installPlugins(options: {
  folder: string;
  home: string;
  node: string;
  cli: string;
  real: readonly string[];
}): Promise<void> {
  const { folder, home, node, cli, real } = options;
  const bundles = await bundle(join(folder, "bundles"));
  const standIn = (name: string) => [node, join(bundles, `${name}.cjs`)];

  const commands = new Map<string, string[]>();
  for (const name of new Set([...STAND_INS, ...real])) {
    const command = real.includes(name) ? [onPath(`pulumi-resource-${name}`)] : standIn(name);
    commands.set(`resource-${name}-v${await versionOf(`@pulumi/${name}`)}`, command);
  }
  if (!isExecutable(join(dirname(cli), "pulumi-language-nodejs"))) {
    commands.set(`language-nodejs-v${await versionOf("@pulumi/pulumi")}`, standIn("language"));
  }

  const plugins = join(home, "plugins");
  for (const [place, command] of commands) {
    const file = `pulumi-${place.split("-").slice(0, 2).join("-")}`;
    await write(join(plugins, place, file), script(command), 0o755);
  }
  for (const place of await readdir(plugins)) {
    if (!commands.has(place)) await rm(join(plugins, place), { recursive: true, force: true });
  }
}

async function versionOf(name: string): Promise<string> {
  const file = join(ROOT, "node_modules", name, "package.json");
  const { version } = JSON.parse(await readFile(file, "utf8").catch(() => "{}")) as { version?: string };
  if (version === undefined)
    throw new UserError(`SANDBOX_REAL names a plugin that this project does not use: ${name}.`);
  return version;
}

function onPath(file: string): string {
  const folders = (process.env.PATH ?? "").split(delimiter).filter((entry) => entry !== "");
  const found = folders.map((folder) => join(folder, file)).find(isExecutable);
  if (found !== undefined) return found;
  throw new UserError(
    `SANDBOX_REAL asks for the official plugin ${file}, and no folder on PATH has an executable of that name. ` +
      `Put its folder on PATH, or leave the name out of SANDBOX_REAL.`,
  );
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
  const lock = join(ROOT, "package-lock.json");
  const sources = await Promise.all([here, join(ROOT, "provider/protocol")].map(sourcesIn));
  for (const path of [lock, ...sources.flat()]) {
    hash.update(relative(ROOT, path)).update("\0");
    hash.update(await readFile(path)).update("\0");
  }
  return hash.digest("hex").slice(0, 16);
}

async function sourcesIn(folder: string): Promise<string[]> {
  const files = (await readdir(folder, { recursive: true })).filter((file) => file.endsWith(".ts")).sort();
  return files.map((file) => join(folder, file));
}

function script(command: readonly string[]): string {
  const quote = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`;
  return `#!/bin/sh\nexec ${command.map(quote).join(" ")} "$@"\n`;
}

async function write(path: string, text: string, mode: number): Promise<void> {
  if ((await readFile(path, "utf8").catch(() => "")) === text) return;
  await writeFileAtomically(path, text, mode);
}
