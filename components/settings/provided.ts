import { type Provision, readProvision } from "../attic/provision.ts";
import { type Mistake, type Place, placeText, shown } from "./mistakes.ts";
import type { CacheSettings } from "./caches.ts";
import type { Readable } from "./rule.ts";
import type { DeclaredToken } from "./tokens.ts";

/** What a file holds, or, to be read after "a file that", what keeps it from being read. */
export type FileText = { text: string; fault?: never } | { text?: never; fault: string };

/** Reads a file by its path from the project's folder. */
export type ReadFile = (path: string) => FileText;

/** What the file of attic-provision adds to a stack. */
export interface Provided {
  caches: readonly CacheSettings[];
  tokens: readonly DeclaredToken[];
  mistakes: readonly Mistake[];
  warnings: string[];
  /** Whether the file's caches are known. */
  complete: boolean;
}

const NOTHING: Provided = { caches: [], tokens: [], mistakes: [], warnings: [], complete: false };

/** Reads the file that the settings name, and compares it with them. */
export function provide(settings: Readable, readFile: ReadFile | undefined): Provided {
  const { provision: path } = settings;
  if (path === undefined) return { ...NOTHING, complete: true };
  if (readFile === undefined) return NOTHING;
  const { text, fault } = readFile(path);
  if (text === undefined) {
    const found = `${shown(path)}, a file that ${fault}`;
    const allowed = "the path of a file of attic-provision, seen from the folder of Pulumi.yaml";
    return { ...NOTHING, mistakes: [{ key: "provision", found, allowed }] };
  }
  const { provision, mistakes } = readProvision(text, path);
  if (mistakes) return { ...NOTHING, mistakes };
  return {
    caches: provision.caches,
    tokens: provision.tokens,
    mistakes: [
      ...declaredTwice("caches", provision.caches, provision.places.caches, settings.caches),
      ...declaredTwice("tokens", provision.tokens, provision.places.tokens, settings.tokens),
    ],
    warnings: [...provision.warnings, ...otherServer(provision, settings)],
    complete: true,
  };
}

interface Named {
  name: string;
}

/** What has a name that the stack's own file has given already. */
function declaredTwice(
  list: "caches" | "tokens",
  provided: readonly Named[],
  places: readonly Place[],
  declared: readonly Named[] = [],
): Mistake[] {
  return provided.flatMap(({ name }, index) => {
    const first = declared.findIndex((other) => other.name === name);
    const place = places[index];
    if (first === -1 || place === undefined) return [];
    return [
      {
        key: `${list}[${index}].name`,
        found: shown(name),
        allowed: `a name of its own, because ${list}[${first}] of the stack's settings has this one`,
        place,
      },
    ];
  });
}

/** The file's address is not used: the stack knows its server. It may be a sign that the file is for another one. */
function otherServer({ serverUrl, places }: Provision, { gateway, server }: Readable): string[] {
  if (serverUrl === undefined || places.serverUrl === undefined || !gateway || !server) return [];
  const { host, hostname } = new URL(serverUrl);
  if ([gateway.host, ...server.additionalHosts].some((name) => name === host || name === hostname)) return [];
  return [
    `${placeText(places.serverUrl)}: server_url names ${host}, but this stack's server is ${gateway.host}: its caches and tokens are made there, and server_url is not used. Set it to https://${gateway.host} or leave it out.`,
  ];
}
