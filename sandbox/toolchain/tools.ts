import { execFile } from "node:child_process";
import { chmod, rm } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import type { Progress, Say } from "../support/progress.ts";
import { UserError } from "../support/user-error.ts";
import { findEntry, provideEntry } from "./cache.ts";
import { packages, type Architecture, type Package, type Release, type ToolName } from "./catalog.ts";
import { download, DownloadError, publishedChecksum } from "./download.ts";
import { build, GoError } from "./go-modules.ts";
import { findOnPath } from "./on-path.ts";

/**
 * Finds the programs named, or gets them: from PATH, where the version there will do; else as they were kept
 * in the cache folder; else the official release, checked by its published checksum; else built from their Go
 * module. What is downloaded or built is kept, and never made again.
 *
 * @returns the absolute path of each program.
 * @throws UserError where one can be had in none of these ways.
 */
export async function provideTools(
  names: readonly ToolName[],
  progress: Progress,
): Promise<Record<ToolName, string>> {
  const wanted = packages.filter(({ tools }) => tools.some((tool) => names.includes(tool)));
  // All are let run to their end, so that what one has downloaded is kept though another fails.
  const provided = await Promise.allSettled(wanted.map((each) => providePackage(each, progress)));
  const paths: Partial<Record<ToolName, string>> = {};
  for (const result of provided) {
    if (result.status === "rejected") throw result.reason;
    Object.assign(paths, result.value);
  }
  return paths as Record<ToolName, string>;
}

async function providePackage(
  wanted: Package,
  progress: Progress,
): Promise<Partial<Record<ToolName, string>>> {
  const onPath = await findOnPath(wanted);
  if (onPath) return onPath;
  const entry = `${wanted.name}-${wanted.version}-${architecture()}`;
  const folder =
    (await findEntry(entry)) ??
    (await progress.task(wanted.title, (say) =>
      provideEntry(entry, say, async (target) => {
        await obtain(wanted, target, say);
      }),
    ));
  return Object.fromEntries(wanted.tools.map((tool) => [tool, join(folder, tool)]));
}

async function obtain(wanted: Package, folder: string, say: Say): Promise<void> {
  let whyNoRelease: string;
  try {
    for (const release of wanted.releases(architecture())) await fetchRelease(release, folder, say);
    return;
  } catch (error) {
    if (!(error instanceof DownloadError)) throw error;
    whyNoRelease = error.message;
  }
  say(`no release: ${whyNoRelease}`);
  try {
    for (const tool of wanted.tools) await rm(join(folder, tool), { force: true });
    await build(wanted.source, folder, say);
  } catch (error) {
    if (!(error instanceof GoError)) throw error;
    throw new UserError(
      `${wanted.title} can neither be downloaded (${whyNoRelease}) nor built (${error.message}): ` +
        `allow the download, install Go from https://go.dev/dl, or put ${wanted.tools.join(", ")} ` +
        `of version ${wanted.minimum} or later on PATH.`,
    );
  }
}

async function fetchRelease(release: Release, folder: string, say: Say): Promise<void> {
  const program = join(folder, release.tool);
  const file = release.url.slice(release.url.lastIndexOf("/") + 1);
  const checksum = await publishedChecksum(release.checksums, file);
  if (release.member === undefined) {
    await download(release.url, checksum, program, say);
  } else {
    const archive = join(folder, file);
    await download(release.url, checksum, archive, say);
    const depth = release.member.split("/").length - 1;
    await promisify(execFile)("tar", [
      ...["-xzf", archive, "-C", folder, `--strip-components=${depth}`],
      ...["--no-same-owner", release.member],
    ]);
    await rm(archive);
  }
  await chmod(program, 0o755);
}

/** The processor of this machine. */
function architecture(): Architecture {
  if (process.arch === "x64") return "amd64";
  if (process.arch === "arm64") return "arm64";
  throw new UserError(
    `The sandbox runs on x86-64 and arm64 processors, and this one is ${process.arch}: use another machine.`,
  );
}
