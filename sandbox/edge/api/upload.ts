import { createHash } from "node:crypto";
import { KINDS } from "../runtime/modules.ts";
import type { Call } from "./call.ts";
import { ApiError, isRecord, type Json } from "./envelope.ts";
import { parseForm, type Part } from "./form.ts";

export interface Uploaded extends Part {
  /** Name of the file that keeps it: the SHA-256 of its contents. */
  file: string;
}

/** The parts of the form by which a Worker is uploaded: metadata, and its modules. */
export function readUpload({ headers, body }: Call): {
  metadata: Record<string, Json>;
  modules: Uploaded[];
  main: Uploaded;
  isModule: boolean;
} {
  const parts = parseForm(headers.get("content-type") ?? "", body);
  if (!parts) throw new ApiError(400, 10021, "A Worker is uploaded as multipart/form-data.");
  const metadata = metadataOf(parts);
  const modules = parts.filter(({ name }) => name !== "metadata").map(moduleOf);
  const { main_module: main, body_part: script } = metadata;
  const wanted = main ?? script;
  if (typeof wanted !== "string" || wanted === "")
    throw new ApiError(400, 10021, "The metadata must name main_module or body_part.");
  const found = modules.find(({ name }) => name === wanted);
  if (!found) throw new ApiError(400, 10021, `The upload has no part ${wanted}, which its metadata names.`);
  return { metadata, modules, main: found, isModule: main !== undefined };
}

function metadataOf(parts: readonly Part[]): Record<string, Json> {
  const text = parts.find(({ name }) => name === "metadata")?.contents.toString() ?? "";
  let metadata: unknown;
  try {
    metadata = JSON.parse(text);
  } catch {
    metadata = undefined;
  }
  if (isRecord(metadata)) return metadata;
  throw new ApiError(400, 10021, "The upload has no part metadata with an object of JSON.");
}

function moduleOf(part: Part): Uploaded {
  if (!(part.type in KINDS))
    throw new ApiError(
      400,
      10021,
      `The module ${part.name} has the type ${part.type}, which no module of the sandbox has.`,
    );
  return { ...part, file: createHash("sha256").update(part.contents).digest("hex") };
}
