import { mkdir, open, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { Readable } from "node:stream";
import type { RemoteFile, Store } from "./store.ts";

/** A folder, laid out as Attic's version 1: files lie two levels deep, by their first two characters. */
export class LocalStore implements Store {
  readonly #folder: string;
  /** Without this file Attic would take the folder for one of version 0, and move what is in it. */
  #versioned: Promise<void> | undefined;

  constructor(folder: string) {
    this.#folder = folder;
  }

  reference(name: string): RemoteFile {
    return { Local: { name } };
  }

  referenceId(name: string): string {
    return `local:${name}`;
  }

  async put(name: string, content: AsyncIterable<Buffer>): Promise<void> {
    const path = this.#path(name);
    await mkdir(dirname(path), { recursive: true });
    await (this.#versioned ??= writeFile(join(this.#folder, "VERSION"), "1"));
    const file = await open(path, "w");
    try {
      await file.writeFile(content);
    } finally {
      await file.close();
    }
  }

  async read(file: RemoteFile): Promise<Readable> {
    return (await open(this.#path(nameOf(file)))).createReadStream();
  }

  async delete(file: RemoteFile): Promise<void> {
    await rm(this.#path(nameOf(file)));
  }

  #path(name: string): string {
    return join(this.#folder, name.slice(0, 1), name.slice(0, 2), name);
  }
}

function nameOf(file: RemoteFile): string {
  if (!("Local" in file)) throw new Error("the chunk lies in an S3 store, and this server has a local one");
  return file.Local.name;
}
