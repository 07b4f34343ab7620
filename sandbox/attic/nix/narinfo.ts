import { dirname } from "node:path";
import type { FoundObject } from "../database/objects.ts";
import { toNixBase32 } from "./base32.ts";
import { signWith } from "./keypair.ts";

/**
 * The narinfo of a path, signed with its cache's key (server/src/narinfo at b7c9056). The hash stands in it in
 * base16, and in what is signed in base32.
 */
export function narInfo(object: FoundObject): string {
  const references = JSON.parse(object.references) as string[];
  const fields = [
    ["StorePath", object.store_path],
    ["URL", `nar/${object.store_path_hash}.nar`],
    ["Compression", object.compression],
    ["NarHash", object.nar_hash],
    ["NarSize", object.nar_size],
    ["References", references.join(" ")],
    ["System", object.system],
    ["Deriver", object.deriver],
    ["Sig", signWith(object.keypair, fingerprint(object, references))],
    ["CA", object.ca],
  ] as const;
  return fields.map(([name, value]) => (value === null ? "" : `${name}: ${value}\n`)).join("");
}

function fingerprint(object: FoundObject, references: readonly string[]): string {
  const store = dirname(object.store_path);
  const hash = toNixBase32(Buffer.from(object.nar_hash.slice("sha256:".length), "hex"));
  const paths = references.map((reference) => `${store}/${reference}`);
  return `1;${object.store_path};sha256:${hash};${object.nar_size};${paths.join(",")}`;
}
