import type { z } from "zod";
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
  const { value, mistakes, place } = readYaml(text, fileName);
  if (value === undefined && mistakes.length > 0) return { mistakes };
  const { data, error } = provisionFile.safeParse(value, { reportInput: true });
  if (error) mistakes.push(...schemaMistakes(value, error, place));
  else
    mistakes.push(
      ...sameNames("caches", data.caches ?? [], place),
      ...sameNames("tokens", data.tokens ?? [], place),
      ...idleTokens(data.tokens ?? [], place),
    );
  return mistakes.length > 0 || data === undefined ? { mistakes } : { provision: provisionOf(data, place) };
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

function schemaMistakes(value: unknown, error: z.ZodError, place: PlaceOf): Mistake[] {
  return locatedMistakes("", provisionFile, value, error).map(({ mistake, path, of }) => {
    const found = path.reduce<unknown>((inner, step) => (inner as Record<PropertyKey, unknown>)[step], value);
    return {
      key: mistake.key || "the file",
      found: of === "key" ? mistake.found : (withoutToken(found) ?? mistake.found),
      allowed: mistake.allowed + (/^tokens\[\d+\]\.name$/.test(mistake.key) ? fitting(found) : ""),
      place: place(path, of),
    };
  });
}

/** What is said in place of a value that may be, or hold, a token that got into the wrong line. */
function withoutToken(value: unknown): string | undefined {
  if (Array.isArray(value)) return "a list";
  if (typeof value === "object" && value !== null) return "an object";
  return typeof value === "string" && value.includes("eyJ") ? "what looks like a token" : undefined;
}

/** Tokens are resources here, so some names that attic-provision took do not fit: this is one that does. */
function fitting(name: unknown): string {
  const name63 = String(name)
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, "-")
    .replace(/^-/, "")
    .slice(0, 63)
    .replace(/-$/, "");
  return typeof name !== "string" || name63 === "" ? "" : `, such as ${name63}`;
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
