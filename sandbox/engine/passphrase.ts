import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { readIfThere, writeFileAtomically } from "../support/files.ts";

/**
 * The path of the file with the passphrase that encrypts the secrets of a sandbox's state, made at the first
 * start. A file and not a variable, so that it stands in no process' environment.
 */
export async function providePassphrase(folder: string): Promise<string> {
  const path = join(folder, "passphrase");
  if ((await readIfThere(path)) === undefined) {
    await writeFileAtomically(path, randomBytes(24).toString("base64url"), 0o600);
  }
  return path;
}
