import type { EdgeCache } from "../../layout.ts";
import { askOrigin, type Download, nonsense } from "./ask-origin.ts";
import { readSha256 } from "./nix-hash.ts";

/** What a server says of a path. */
export interface OriginNarinfo {
  /** Of the NAR's content, in Nix's base 32. */
  narHash: string;
  /** Of the NAR itself, in bytes: about what it has at most when it is compressed. */
  narSize: number;
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
  const download = await askOrigin(`${origin}${name}/${hash}.narinfo`);
  if (download === undefined) return undefined;
  const lines = (await read(download)).trimEnd().split("\n");
  const field = (name: string) => lines.find((line) => line.startsWith(`${name}: `))?.slice(name.length + 2);
  const narHash = readSha256(field("NarHash") ?? "");
  const narSize = field("NarSize") ?? "";
  const isRight =
    field("StorePath")?.startsWith(`${storeDir}/${hash}-`) === true &&
    field("URL") === `nar/${hash}.nar` &&
    /^\d+$/.test(narSize) &&
    field("Compression") !== undefined;
  if (narHash === undefined || !isRight) throw nonsense();
  return { narHash, narSize: Number(narSize), lines: lines.filter((line) => !line.startsWith("URL: ")) };
}

async function read({ body }: Download): Promise<string> {
  const decoder = new TextDecoder();
  let text = "";
  for await (const piece of body) {
    text += decoder.decode(piece, { stream: true });
    if (text.length > LONGEST) throw nonsense();
  }
  return text;
}
