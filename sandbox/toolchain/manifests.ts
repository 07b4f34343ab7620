import { createHash } from "node:crypto";
import { mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { parseAllDocuments } from "yaml";
import type { Progress, Say } from "../support/progress.ts";
import { UserError } from "../support/user-error.ts";
import { findEntry, provideEntry, RECORD, sha256 } from "./cache.ts";
import { download, DownloadError } from "./download.ts";
import { downloadModule, GoError } from "./go-modules.ts";
import sources from "./manifests.json" with { type: "json" };

/**
 * Where the custom resource definitions come from, in `manifests.json`: the files of the releases' own
 * repositories, each with its SHA-256, so that a download and a Go module give the very same bytes. Of Traefik
 * 3.7 it is 3.7.13, because the Go module of 3.7.0 cannot be had. Of each project there are the kinds that a
 * stack of this kind may use: every further one costs the API server some 50 ms at its first start.
 */
export interface ManifestSource {
  name: string;
  /** On GitHub. */
  repository: string;
  /** The Go module that holds the same files. */
  module: string;
  /** Of the module, and the tag in the repository. */
  version: string;
  folder: string;
  /** Name to SHA-256. */
  files: Record<string, string>;
}

export interface Manifests {
  /** Paths of files with one custom resource definition each, as JSON; a file is called NAME.json. */
  crds: string[];
  /** Paths of YAML files that tell kwok how to play nodes, pods, volumes, and what else has a status. */
  kwokStages: string[];
}

/** kwok's stages are part of this project: they say what the sandbox plays. */
const STAGES = ["nodes", "pods", "volumes", "network", "operators"];

/** Counted up where the kept files are made in another way, so that older ones are not used. */
const FORMAT = 1;

/**
 * Finds the manifests that a cluster of the sandbox begins with, or gets them as `provideTools` gets programs.
 *
 * @throws UserError where they can be had in no way.
 */
export async function provideManifests(progress: Progress): Promise<Manifests> {
  const all: ManifestSource[] = sources;
  const digest = createHash("sha256")
    .update(JSON.stringify([FORMAT, all]))
    .digest("hex");
  const entry = `manifests-${digest.slice(0, 12)}`;
  const folder =
    (await findEntry(entry)) ??
    (await progress.task("Custom resource definitions", (say) =>
      provideEntry(entry, say, async (target) => {
        for (const source of all) await obtain(source, target, say);
      }),
    ));
  const kept = (await readdir(folder)).filter((file) => file !== RECORD).sort();
  return {
    crds: kept.map((file) => join(folder, file)),
    kwokStages: STAGES.map((name) => join(import.meta.dirname, "../control-plane/stages", `${name}.yaml`)),
  };
}

async function obtain(source: ManifestSource, target: string, say: Say): Promise<void> {
  const work = join(target, "work");
  await mkdir(work);
  for (const path of await fetchFiles(source, work, say)) {
    if ((await sha256(path)) !== source.files[basename(path)]) {
      throw new Error(`${path} is not the file of ${source.name} ${source.version}`);
    }
    for (const definition of definitionsIn(await readFile(path, "utf8"))) {
      await writeFile(join(target, `${definition.metadata.name}.json`), JSON.stringify(definition));
    }
  }
  await rm(work, { recursive: true });
}

/** The paths of the files, downloaded or from the Go module. */
async function fetchFiles(source: ManifestSource, work: string, say: Say): Promise<string[]> {
  const files = Object.entries(source.files);
  let whyNoRelease: string;
  try {
    say(`downloading those of ${source.name} ${source.version}`);
    const base = `https://raw.githubusercontent.com/${source.repository}/${source.version}/${source.folder}`;
    for (const [file, sum] of files)
      await download(`${base}/${file}`, sum, join(work, file), () => undefined);
    return files.map(([file]) => join(work, file));
  } catch (error) {
    if (!(error instanceof DownloadError)) throw error;
    whyNoRelease = error.message;
  }
  try {
    say(`from Go module ${source.module}`);
    const module = await downloadModule(source.module, source.version, work);
    return files.map(([file]) => join(module, source.folder, file));
  } catch (error) {
    if (!(error instanceof GoError)) throw error;
    throw new UserError(
      `The custom resource definitions of ${source.name} ${source.version} can neither be downloaded ` +
        `(${whyNoRelease}) nor taken from their Go module (${error.message}): ` +
        `allow the download, or install Go from https://go.dev/dl.`,
    );
  }
}

interface Definition {
  metadata: { name: string };
}

/**
 * The definitions in a YAML text, without the descriptions of their fields: those are three quarters of it,
 * they check nothing, and the API server takes seconds to digest them.
 */
export function definitionsIn(text: string): Definition[] {
  return parseAllDocuments(text)
    .map((document) => document.toJS() as Definition & { kind?: string })
    .filter((manifest) => manifest.kind === "CustomResourceDefinition")
    .map((manifest) => withoutDescriptions(manifest) as Definition);
}

/** A field that is itself called "description" has a schema, so only texts are dropped. */
function withoutDescriptions(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutDescriptions);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([key, member]) => key !== "description" || typeof member !== "string")
      .map(([key, member]) => [key, withoutDescriptions(member)]),
  );
}
