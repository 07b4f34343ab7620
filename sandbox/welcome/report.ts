import { table } from "../table.ts";
import type { Welcome } from "./index.ts";

/**
 * The caches for a person: the key of each, and a command for Nix that pulls a path from it.
 *
 * @param netrc file with the token for caches that are not public, as a person would type it.
 * @param more caches that are not shown.
 */
export function cachesText(caches: readonly Welcome[], netrc: string, more: number): string[] {
  if (caches.length === 0) return [];
  return [
    "",
    ...table(
      ["Cache", "Pulled from by", "Public key"],
      caches.map(({ name, isPublic, publicKey }) => [
        name,
        isPublic ? "everybody" : "whoever has a token",
        publicKey,
      ]),
    ),
    ...(more > 0 ? [`… and ${more} more: see the output \`caches\``] : []),
    "",
    caches.some(({ edge }) => edge !== undefined)
      ? "With Nix, a path from each, at the edge where it is served there:"
      : "With Nix, a path from each:",
    ...caches.flatMap((cache) => pullCommand(cache, netrc) ?? []),
  ];
}

function pullCommand(
  { path, isPublic, substituter, edge, publicKey }: Welcome,
  netrc: string,
): string | undefined {
  if (path === undefined) return undefined;
  const options = [
    // What is at the edge is what clients are to pull.
    `--option substituters ${edge ?? substituter}`,
    `--option trusted-public-keys ${publicKey}`,
    ...(isPublic ? [] : [`--option netrc-file ${netrc}`]),
  ];
  return `  nix-store --realise ${path} ${options.join(" ")}`;
}
