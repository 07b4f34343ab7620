import type { Readable } from "node:stream";
import type { StorageConfig } from "../config/schema.ts";
import { LocalStore } from "./local.ts";

/** Where a chunk lies, as the column `remote_file` holds it. */
export type RemoteFile =
  { Local: { name: string } } | { S3: { region: string; bucket: string; key: string } };

/** What holds the chunks. */
export interface Store {
  /** What to note of a file of that name. */
  reference(name: string): RemoteFile;
  /** What makes a file unique, as the column `remote_file_id` holds it. */
  referenceId(name: string): string;
  /** Writes a file of any size, of which only a few parts are in memory. */
  put(name: string, content: AsyncIterable<Buffer>): Promise<void>;
  read(file: RemoteFile): Promise<Readable>;
  delete(file: RemoteFile): Promise<void>;
  /** An address where a client can fetch the file itself, where the store has such. */
  publicUrl?(file: RemoteFile): Promise<string>;
}

/** AWS' library takes as long to load as all the rest: only who has a bucket waits for it. */
export async function openStore(config: StorageConfig): Promise<Store> {
  if (config.type === "local") return new LocalStore(config.path);
  const { S3Store } = await import("./s3.ts");
  return new S3Store(config);
}
