import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { mkdir, open, readdir, rename, rm, stat, utimes } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { hasCode, readIfThere, writeFileAtomically } from "../support/files.ts";
import { withLock } from "../support/lock.ts";
import type { Say } from "../support/progress.ts";
import { UserError } from "../support/user-error.ts";

/** The file that lists the files of an entry. An entry without a whole one does not count. */
export const RECORD = "record.json";

interface FileRecord {
  sha256: string;
  size: number;
  /** When the file was last changed, in milliseconds; where it differs the file is hashed again. */
  changed: number;
}

/** The folder where finished downloads and builds of this user are kept: `$XDG_CACHE_HOME/attic-stack`. */
export function cacheFolder(): string {
  const base = process.env.XDG_CACHE_HOME;
  // The XDG base directory specification tells to ignore a relative path.
  return join(base?.startsWith("/") ? base : join(homedir(), ".cache"), "attic-stack");
}

/**
 * The folder of a cache entry, if it is there and whole: every file as large as it was, and unchanged since or,
 * where its time differs, of the same SHA-256.
 */
export async function findEntry(name: string): Promise<string | undefined> {
  const folder = join(cacheFolder(), name);
  const record = parseRecord(await readIfThere(join(folder, RECORD)));
  if (!record) return undefined;
  const whole = await Promise.all(
    Object.entries(record).map(([file, expected]) => isWhole(join(folder, file), expected)),
  );
  return whole.every(Boolean) ? folder : undefined;
}

/**
 * The folder of a cache entry, which is made where it is missing or broken. Of two processes that want the
 * same entry one makes it and the other waits.
 *
 * @param name of the entry, with all versions that its content depends on.
 * @param make fills the empty folder that it is given; the entry exists only once this has returned.
 * @throws UserError where the cache folder cannot be written; else what `make` throws.
 */
export async function provideEntry(
  name: string,
  say: Say,
  make: (folder: string) => Promise<void>,
): Promise<string> {
  const cache = cacheFolder();
  const target = join(cache, name);
  return await explained(cache, async () => {
    await mkdir(cache, { recursive: true });
    const waiting = (pid: number) => {
      say(`waiting for process ${pid}, which is making it`);
    };
    return await withLock(target, waiting, async () => {
      const found = await findEntry(name);
      if (found !== undefined) return found;
      await removeLeftovers(cache, name);
      // Named by process: a compiler that outlived its killed parent must not write into our folder.
      const temporary = join(cache, `.${name}.${process.pid}.new`);
      await mkdir(temporary);
      try {
        await make(temporary);
        await writeRecord(temporary);
        await rename(temporary, target);
        await sync(cache);
      } finally {
        await rm(temporary, { recursive: true, force: true });
      }
      return target;
    });
  });
}

/** What a killed process left half made, and a broken entry: nobody else touches them while we hold the lock. */
async function removeLeftovers(cache: string, name: string): Promise<void> {
  const halfMade = (await readdir(cache)).filter(
    (file) => file.startsWith(`.${name}.`) && file.endsWith(".new"),
  );
  for (const folder of [...halfMade, name]) await rm(join(cache, folder), { recursive: true, force: true });
}

async function writeRecord(folder: string): Promise<void> {
  const record: Record<string, FileRecord> = {};
  // Whole seconds survive every file system and every copy.
  const now = Math.floor(Date.now() / 1000);
  for (const file of (await readdir(folder)).sort()) {
    const path = join(folder, file);
    await sync(path);
    await utimes(path, now, now);
    record[file] = { sha256: await sha256(path), size: (await stat(path)).size, changed: now * 1000 };
  }
  await writeFileAtomically(join(folder, RECORD), JSON.stringify(record, undefined, 2), 0o644);
}

function parseRecord(text: string | undefined): Record<string, FileRecord> | undefined {
  try {
    return text === undefined ? undefined : (JSON.parse(text) as Record<string, FileRecord>);
  } catch {
    return undefined;
  }
}

async function isWhole(path: string, expected: FileRecord): Promise<boolean> {
  try {
    const { size, mtimeMs } = await stat(path);
    if (size !== expected.size) return false;
    return mtimeMs === expected.changed || (await sha256(path)) === expected.sha256;
  } catch (error) {
    if (hasCode(error, "ENOENT", "ENOTDIR")) return false;
    throw error;
  }
}

/** The SHA-256 of a file, in lower-case hex. */
export async function sha256(path: string): Promise<string> {
  const hash = createHash("sha256");
  await pipeline(createReadStream(path, { highWaterMark: 1 << 20 }), hash);
  return hash.digest("hex");
}

/** Makes sure that what was written survives a power cut. */
async function sync(path: string): Promise<void> {
  const file = await open(path, "r");
  try {
    await file.sync();
  } finally {
    await file.close();
  }
}

/** Turns what the file system says about the cache folder into a sentence. */
async function explained<T>(cache: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (hasCode(error, "EACCES", "EPERM", "EROFS", "ENOTDIR", "EEXIST")) {
      throw new UserError(
        `The cache folder ${cache} cannot be written: make it writable, or set XDG_CACHE_HOME to a folder that is.`,
      );
    }
    if (hasCode(error, "ENOSPC", "EDQUOT")) {
      throw new UserError(
        `There is no space left in the cache folder ${cache}: about 3 GB are needed to build everything; make room, or set XDG_CACHE_HOME to a folder with more.`,
      );
    }
    throw error;
  }
}
