import { chown, lchown, lstat, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { dirname, join, normalize, relative } from "node:path";
import { expand, field, source, type Sources } from "./environment.ts";
import {
  Fault,
  NotYet,
  type Container,
  type DownwardFile,
  type KeyToPath,
  type Pod,
  type VolumeSource,
} from "./objects.ts";
import { makeFolder, type RunAs } from "./user.ts";

/** A file that a volume is made of. */
export interface VolumeFile {
  /** In the volume. */
  path: string;
  content: Buffer;
  /** Its rights as the pod spec has them. */
  mode: number;
}

/** A volume of a pod as a folder of this machine. */
export interface Volume {
  name: string;
  folder: string;
  /** All that is in it; undefined where the processes themselves fill it. */
  files?: readonly VolumeFile[];
  /** The uid of the claim whose volume it is. */
  claim?: string;
}

/** Where a container sees a volume, or a part of it. */
export interface Mount {
  /** In the container. */
  path: string;
  /** On this machine. */
  target: string;
  volume: Volume;
}

export interface VolumeArgs {
  pod: Pod;
  sources: Sources;
  /** Folder for what goes with the pod. */
  folder: string;
  /** Folder with a folder for each claim, by its uid. */
  claims: string;
  /** The uid of a claim of the pod's namespace, or undefined. */
  claimUid: (name: string) => string | undefined;
}

/** The volumes of a pod. @throws NotYet where what one is made of is missing. */
export function volumesOf(args: VolumeArgs): Volume[] {
  return (args.pod.spec?.volumes ?? []).map((volume) => {
    const { name } = volume;
    const folder = join(args.folder, "volumes", name);
    if (volume.emptyDir) return { name, folder };
    if (volume.persistentVolumeClaim) {
      const { claimName } = volume.persistentVolumeClaim;
      const claim = args.claimUid(claimName);
      if (claim === undefined) throw new NotYet(`PersistentVolumeClaim ${claimName} does not exist`);
      return { name, folder: join(args.claims, claim), claim };
    }
    return { name, folder, files: filesOf(volume, args).map(inside) };
  });
}

function filesOf(
  { secret, configMap, downwardAPI, projected, name }: VolumeSource,
  args: VolumeArgs,
): VolumeFile[] {
  const { pod, sources } = args;
  if (secret) return keyFiles("Secret", secret.secretName, secret, sources);
  if (configMap) return keyFiles("ConfigMap", configMap.name, configMap, sources);
  if (downwardAPI) return fieldFiles(downwardAPI.items, pod, downwardAPI.defaultMode);
  if (projected === undefined)
    throw new Fault(`the volume ${name} is of a kind that the sandbox does not play`);
  const { defaultMode } = projected;
  return (projected.sources ?? []).flatMap((part) => {
    if (part.secret) return keyFiles("Secret", part.secret.name, part.secret, sources, defaultMode);
    if (part.configMap)
      return keyFiles("ConfigMap", part.configMap.name, part.configMap, sources, defaultMode);
    // No process of the sandbox asks the cluster, so a service account's token has no reader.
    return fieldFiles(part.downwardAPI?.items, pod, defaultMode);
  });
}

function keyFiles(
  kind: "Secret" | "ConfigMap",
  name = "",
  { items, optional, ...options }: { items?: KeyToPath[]; defaultMode?: number; optional?: boolean },
  sources: Sources,
  defaultMode = options.defaultMode ?? 0o644,
): VolumeFile[] {
  const data = source(sources, kind, name, optional);
  if (data === undefined) return [];
  if (items === undefined) return [...data].map(([path, content]) => ({ path, content, mode: defaultMode }));
  return items.flatMap(({ key, path, mode = defaultMode }) => {
    const content = data.get(key);
    if (content === undefined && optional !== true) throw new NotYet(`${kind} ${name} has no key ${key}`);
    return content === undefined ? [] : [{ path, content, mode }];
  });
}

function fieldFiles(items: DownwardFile[] | undefined, pod: Pod, defaultMode = 0o644): VolumeFile[] {
  return (items ?? []).map(({ path, fieldRef, mode = defaultMode }) => ({
    path,
    content: Buffer.from(field(fieldRef?.fieldPath ?? "", pod)),
    mode,
  }));
}

/** The API server refuses paths that leave their volume; what is written here must not depend on that. */
function inside(file: VolumeFile): VolumeFile {
  const path = normalize(file.path);
  if (path.startsWith("/") || path === ".." || path.startsWith("../"))
    throw new Fault(`${file.path} is outside of its volume`);
  return { ...file, path };
}

/** Where a container sees which volume; the longest path first, as it hides the others. */
export function mountsOf(
  container: Container,
  volumes: readonly Volume[],
  env: Readonly<Record<string, string>>,
): Mount[] {
  const mounts = (container.volumeMounts ?? []).map(({ name, mountPath, subPath, subPathExpr }) => {
    const volume = volumes.find((each) => each.name === name);
    if (volume === undefined) throw new Fault(`there is no volume ${name}`);
    const part = subPathExpr === undefined ? (subPath ?? "") : expand(subPathExpr, env);
    inside({ path: part || ".", content: Buffer.alloc(0), mode: 0 });
    return { path: mountPath.replace(/(.)\/+$/, "$1"), target: join(volume.folder, part), volume };
  });
  return mounts.sort((a, b) => b.path.length - a.path.length);
}

/**
 * Makes the volumes: folders that only their owner can enter, files that only he can read. A file that is as it should be
 * is not touched, because another container of the pod may be reading it; what processes have written stays.
 *
 * @param owner whose they are, where not this process' own user's.
 */
export async function layOut(
  volumes: readonly Volume[],
  mounts: readonly Mount[],
  owner: RunAs["owner"],
): Promise<void> {
  for (const { folder, files } of volumes) {
    await makeFolder(folder, owner);
    if (owner) await giveAll(folder, owner);
    if (files === undefined) continue;
    const wanted = new Set(files.map(({ path }) => path));
    for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
      const path = join(entry.parentPath, entry.name);
      if (!entry.isDirectory() && !wanted.has(relative(folder, path))) await rm(path);
    }
    for (const file of files) await layFile(join(folder, file.path), file, owner);
  }
  // A part of a volume that is not there yet is made as a folder.
  for (const { target, volume } of mounts) if (!volume.files) await makeFolder(target, owner);
}

/** Gives to a user all that is in a folder, where an earlier start ran its processes as another one. */
async function giveAll(folder: string, { uid, gid }: NonNullable<RunAs["owner"]>): Promise<void> {
  const entries = await readdir(folder);
  const [first] = entries;
  if (first === undefined || (await lstat(join(folder, first))).uid === uid) return;
  for (const entry of await readdir(folder, { recursive: true })) await lchown(join(folder, entry), uid, gid);
}

async function layFile(path: string, { content, mode }: VolumeFile, owner: RunAs["owner"]): Promise<void> {
  const before = await readFile(path).catch(() => undefined);
  if (before?.equals(content) === true) return;
  await makeFolder(dirname(path), owner);
  const draft = `${path}.draft`;
  await rm(draft, { force: true });
  await writeFile(draft, content, { mode: (mode & 0o700) | 0o400 });
  if (owner) await chown(draft, owner.uid, owner.gid);
  await rename(draft, path);
}
