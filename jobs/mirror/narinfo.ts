import { createPublicKey, type KeyObject, verify } from "node:crypto";
import { dirname, basename } from "node:path/posix";
import { NAR_FILE } from "../../components/edge/layout.ts";
import { narHashOf } from "./nar/base32.ts";
import { Nonsense } from "./trouble.ts";

/** What a narinfo says, line by line, in its order. */
export type NarInfo = ReadonlyMap<string, string>;

/** A NAR's file at the edge. */
export interface NarFile {
  /** Its name below `nar/`. */
  file: string;
  /** SHA-256 in base 32. */
  fileHash: string;
  /** In bytes. */
  fileSize: number;
}

/** A cache's key, as it stands in nix.conf. */
export interface PublicKey {
  name: string;
  key: KeyObject;
}

/** What stands before an Ed25519 public key in SPKI (RFC 8410). */
const SPKI_HEAD = Buffer.from("302a300506032b6570032100", "hex");

/** @throws Nonsense where it is none. */
export function readPublicKey(text: string): PublicKey {
  const [, name = "", key = ""] = /^([^:\s]+):([A-Za-z0-9+/]{43}=)$/.exec(text) ?? [];
  if (name === "") throw new Nonsense("the cache's public key is none");
  const der = Buffer.concat([SPKI_HEAD, Buffer.from(key, "base64")]);
  return { name, key: createPublicKey({ key: der, format: "der", type: "spki" }) };
}

/** @throws Nonsense where it is none. */
export function parseNarInfo(text: string): NarInfo {
  const lines = text.split("\n");
  if (lines.pop() !== "") throw new Nonsense("the narinfo is cut off");
  const fields = new Map<string, string>();
  for (const line of lines) {
    const [, name = "", value = ""] = /^([A-Za-z]+): ?([^\r]*)$/.exec(line) ?? [];
    // A path may have several signatures, which stay together.
    if (name === "" || (fields.has(name) && name !== "Sig")) throw new Nonsense("the narinfo is none");
    fields.set(name, fields.has(name) ? `${fields.get(name) ?? ""}\nSig: ${value}` : value);
  }
  return fields;
}

/**
 * Checks that a narinfo is that of a path, and that Nix will take its signature.
 *
 * @throws Nonsense
 */
export function checkNarInfo(
  info: NarInfo,
  path: { hash: string; narHash: string; narSize: number },
  key: PublicKey,
): void {
  const storePath = info.get("StorePath") ?? "";
  const says = (what: boolean, words: string) => {
    if (!what) throw new Nonsense(`the narinfo ${words}`);
  };
  says(basename(storePath).startsWith(`${path.hash}-`), "is that of another path");
  says(narHashOf(info.get("NarHash") ?? "") === path.narHash, "has another NAR than the database says");
  says(info.get("NarSize") === String(path.narSize), "has another size than the database says");
  const references = (info.get("References") ?? "").split(" ").filter((name) => name !== "");
  const paths = references.map((name) => `${dirname(storePath)}/${name}`).join(",");
  const signed = Buffer.from(`1;${storePath};sha256:${path.narHash};${path.narSize};${paths}`);
  const isSigned = (info.get("Sig") ?? "").split("\nSig: ").some((signature) => {
    const [, name, bytes = ""] = /^([^:]+):([A-Za-z0-9+/]{86}==)$/.exec(signature) ?? [];
    return name === key.name && verify(null, signed, key.key, Buffer.from(bytes, "base64"));
  });
  says(isSigned, "is not signed by the cache's key");
}

/** The same narinfo with a file at the edge in place of the server's. */
export function writeNarInfo(info: NarInfo, { file, fileHash, fileSize }: NarFile): string {
  const own = {
    URL: `nar/${file}`,
    Compression: compressionOf(file),
    FileHash: `sha256:${fileHash}`,
    FileSize: fileSize,
  };
  const lines: string[] = [];
  for (const [name, value] of info) {
    if (name in own && name !== "Compression") continue;
    if (name === "Compression")
      lines.push(...Object.entries(own).map(([field, said]) => `${field}: ${said}`));
    else lines.push(`${name}: ${value}`);
  }
  return `${lines.join("\n")}\n`;
}

/** The file that a narinfo of the edge names. @throws Nonsense where it names none. */
export function fileOf(info: NarInfo): NarFile {
  const [, file = ""] = /^nar\/(.*)$/.exec(info.get("URL") ?? "") ?? [];
  const [, narHash] = NAR_FILE.exec(file) ?? [];
  const fileHash = narHashOf(info.get("FileHash") ?? "");
  const fileSize = Number(info.get("FileSize"));
  const isWhole = narHash !== undefined && fileHash !== undefined && Number.isSafeInteger(fileSize);
  if (
    !isWhole ||
    narHashOf(info.get("NarHash") ?? "") !== narHash ||
    info.get("Compression") !== compressionOf(file)
  )
    throw new Nonsense("the narinfo is not one of this mirror");
  return { file, fileHash, fileSize };
}

function compressionOf(file: string): string {
  const [, , , extension = ""] = NAR_FILE.exec(file) ?? [];
  return { ".zst": "zstd", ".br": "br", ".xz": "xz" }[extension] ?? "none";
}
