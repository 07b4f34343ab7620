import { type CacheSettings, cacheSection } from "../settings/caches.ts";
import { locatedMistakes, type Mistake, type Place, placeText, shown } from "../settings/mistakes.ts";
import { repeated } from "../settings/rule.ts";
import { type DeclaredToken, tokenSection } from "../settings/tokens.ts";
import type { Permission } from "./permissions.ts";
import { readYaml, type YamlFile } from "./provision/document.ts";
import { type ProvisionFile, provisionFile } from "./provision/schema.ts";

/** What a file of attic-provision asks for, in the terms of the stack's settings, with their defaults. */
export interface Provision {
  /** The server that the file was written for. */
  serverUrl?: string;
  caches: readonly CacheSettings[];
  tokens: readonly DeclaredToken[];
  /** Where the address stands, and the name of each cache and token. */
  places: { serverUrl?: Place; caches: readonly Place[]; tokens: readonly Place[] };
  /** What of it is not used, each in a sentence. */
  warnings: readonly string[];
}

/** The file, or all that is wrong with it. */
export type ReadProvision =
  { provision: Provision; mistakes?: never } | { provision?: never; mistakes: Mistake[] };

/** Reads a file of attic-provision as it stands. Each mistake has its line and column; none quotes the token. */
export function readProvision(text: string, fileName: string): ReadProvision {
  const yaml = readYaml(text, fileName);
  if (Array.isArray(yaml)) return { mistakes: yaml };
  const { value, place } = yaml;
  const { data, error } = provisionFile.safeParse(value, { reportInput: true });
  if (error)
    return {
      mistakes: locatedMistakes("", provisionFile, value, error).map(({ mistake, path, of }) => ({
        ...withFittingName(mistake, path, value),
        key: mistake.key || "the file",
        place: place(path, of),
      })),
    };
  const mistakes = [
    ...sameNames("caches", data.caches ?? [], place),
    ...sameNames("tokens", data.tokens ?? [], place),
    ...idleTokens(data.tokens ?? [], place),
  ];
  return mistakes.length > 0 ? { mistakes } : { provision: provisionOf(data, place) };
}

/** A mistake in one line, as compilers write it. */
export function mistakeLine({ key, found, allowed, place }: Mistake): string {
  return `${place ? `${placeText(place)}: ` : ""}${key}: found ${found}, allowed ${allowed}`;
}

type PlaceOf = YamlFile["place"];
type Tokens = NonNullable<ProvisionFile["tokens"]>;

function provisionOf({ server_url, admin_token, caches, tokens }: ProvisionFile, place: PlaceOf): Provision {
  return {
    ...(server_url != null && { serverUrl: server_url }),
    caches: (caches ?? []).map((cache) =>
      cacheSection.parse({
        name: cache.name,
        public: cache.public ?? false,
        retention: cache.retention_period ?? "default",
      }),
    ),
    tokens: (tokens ?? []).map((token) =>
      tokenSection.parse({
        name: token.name,
        permissions: [{ cache: token.cache, allow: permissionsOf(token) }],
      }),
    ),
    places: {
      ...(server_url != null && { serverUrl: place(["server_url"], "value") }),
      caches: (caches ?? []).map((_, index) => place(["caches", index, "name"], "value")),
      tokens: (tokens ?? []).map((_, index) => place(["tokens", index, "name"], "value")),
    },
    warnings: hasValue(admin_token)
      ? [
          `${placeText(place(["admin_token"], "key"))}: admin_token is not used, because the stack signs its own tokens. Take it out; if it is a token of this stack's server, let the stack make a new signing key.`,
        ]
      : [],
  };
}

function permissionsOf({ read, write }: Tokens[number]): Permission[] {
  return [...(read === true ? (["pull"] as const) : []), ...(write === true ? (["push"] as const) : [])];
}

function hasValue(value: unknown): boolean {
  return value !== undefined && value !== null && value !== "";
}

function sameNames(list: "caches" | "tokens", items: readonly { name: string }[], place: PlaceOf): Mistake[] {
  return repeated(items, ({ name }) => name).map(({ name, at, first }) => ({
    key: `${list}[${at}].name`,
    found: shown(name),
    allowed: `a name of its own, because ${list}[${first}] in line ${place([list, first, "name"], "value").line} has this one`,
    place: place([list, at, "name"], "value"),
  }));
}

function idleTokens(tokens: Tokens, place: PlaceOf): Mistake[] {
  return tokens.flatMap((token, index) =>
    permissionsOf(token).length > 0
      ? []
      : [
          {
            key: `tokens[${index}]`,
            found: "neither read nor write",
            allowed: "read: true, write: true, or both",
            place: place(["tokens", index], "value"),
          },
        ],
  );
}

/** Names of tokens are those of resources here, so some that attic-provision took are refused: with one that fits. */
function withFittingName(mistake: Mistake, path: readonly PropertyKey[], value: unknown): Mistake {
  const [list, index, name] = path;
  if (list !== "tokens" || name !== "name") return mistake;
  const given = (value as { tokens: { name?: unknown }[] }).tokens[Number(index)]?.name;
  if (typeof given !== "string") return mistake;
  const fitting = given
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, "-")
    .slice(0, 63)
    .replace(/^-+|-+$/g, "");
  return fitting === "" ? mistake : { ...mistake, allowed: `${mistake.allowed}, such as ${fitting}` };
}
