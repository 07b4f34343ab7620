import { parse } from "smol-toml";

/** How the engine's protocol marks a value that is secret. */
export const SECRET = { "4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270" } as const;
const [[KEY, MARK]] = Object.entries(SECRET) as [[string, string]];

function isMarked(value: unknown): value is { value: unknown } {
  return typeof value === "object" && value !== null && (value as Record<string, unknown>)[KEY] === MARK;
}

/** A value without the marks of its secrets. */
export function plain(value: unknown): unknown {
  if (isMarked(value)) return plain(value.value);
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, plain(inner)]));
}

/** Every text in a value, keys too, that is not marked secret, with the path that leads to it. */
export function openTexts(value: unknown, path = ""): { path: string; text: string }[] {
  if (isMarked(value)) return [];
  if (typeof value === "string") return [{ path, text: value }];
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([key, inner]) => [
    { path, text: key },
    ...openTexts(inner, `${path}.${key}`),
  ]);
}

/** What a TOML text says, in plain objects. */
export const tomlOf = (text: string): Record<string, unknown> => structuredClone(parse(text));
