import type { EdgeCache } from "../../layout.ts";
import type { Response } from "../platform.ts";
import { askOrigin, nonsense } from "./ask-origin.ts";
import { readSha256 } from "./nix-hash.ts";

/** What a server says of a path. */
export interface OriginNarinfo {
  /** Of the NAR's content, in Nix's base 32. */
  narHash: string;
  /** As it came, line by line, without its URL. */
  lines: readonly string[];
}

/** Some hundred thousand references; in bytes. */
const LONGEST = 8 * 1024 * 1024;

/** @returns undefined where the server does not have the path; throws a Fault where it says something else than that. */
export async function originNarinfo(
  origin: string,
  { name, storeDir }: EdgeCache,
  hash: string,
): Promise<OriginNarinfo | undefined> {
  const response = await askOrigin(`${origin}${name}/${hash}.narinfo`);
  if (response === undefined) return undefined;
  const lines = (await read(response)).trimEnd().split("\n");
  const field = (name: string) => lines.find((line) => line.startsWith(`${name}: `))?.slice(name.length + 2);
  const narHash = readSha256(field("NarHash") ?? "");
  const isRight =
    field("StorePath")?.startsWith(`${storeDir}/${hash}-`) === true &&
    field("URL") === `nar/${hash}.nar` &&
    /^\d+$/.test(field("NarSize") ?? "") &&
    field("Compression") !== undefined;
  if (narHash === undefined || !isRight) throw nonsense();
  return { narHash, lines: lines.filter((line) => !line.startsWith("URL: ")) };
}

async function read(response: Response): Promise<string> {
  const decoder = new TextDecoder();
  let text = "";
  for await (const piece of response.body ?? []) {
    text += decoder.decode(piece as Uint8Array, { stream: true });
    if (text.length > LONGEST) throw nonsense();
  }
  return text;
}
