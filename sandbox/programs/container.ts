import { join } from "node:path";
import { Fault, type Container, type Pod } from "./objects.ts";
import { hostPath } from "./rewrite.ts";
import type { Mount, Volume } from "./volumes.ts";

/** A container of a pod with all that it takes from the cluster. */
export interface PodContainer {
  pod: Pod;
  container: Container;
  /** Without what the image would add. */
  env: Readonly<Record<string, string>>;
  /** `command` and `args`, expanded. */
  command: readonly string[];
  args: readonly string[];
  volumes: readonly Volume[];
  mounts: readonly Mount[];
  /** Its own folder on this machine. */
  folder: string;
}

/** Where a path of a container is on this machine. */
export function placeOnHost(path: string, { mounts, folder }: PodContainer): string {
  // What no volume is mounted at is the image's own.
  return hostPath(path, mounts, join(folder, "root"));
}

/** What a file of a container's Secrets and ConfigMaps holds. @throws Fault where there is no such file. */
export function mountedFile(path: string, it: PodContainer): string {
  const target = placeOnHost(path, it);
  const files = it.volumes.flatMap(({ folder, files: all = [] }) =>
    all.map((file) => ({ ...file, path: join(folder, file.path) })),
  );
  const found = files.find((file) => file.path === target);
  if (found === undefined) throw new Fault(`no Secret and no ConfigMap is mounted as the file ${path}`);
  return found.content.toString();
}

/** All words of a container's command line as its spec has them. */
export function words({ command = [], args = [] }: Container): string[] {
  return [...command, ...args];
}
