import { distance } from "fastest-levenshtein";
import type { z } from "zod";
import { bare, meta, type Schema } from "./node.ts";

/** A place in a file that a person looks up. Lines and columns begin at 1. */
export interface Place {
  file: string;
  line: number;
  column: number;
}

/** One thing that is wrong in Pulumi.<stack>.yaml, or in a file that it names. */
export interface Mistake {
  /** The key as `pulumi config set --path` takes it, without the project's name. */
  key: string;
  /** What stands there, shortened; never a secret. */
  found: string;
  /** What may stand there. */
  allowed: string;
  /** Where it is in a file of its own; without it, it is in Pulumi.<stack>.yaml. */
  place?: Place;
}

/** A mistake of a schema, with the way to the value that is wrong or missing, or to the key that is not known. */
export interface Located {
  mistake: Mistake;
  path: readonly PropertyKey[];
  of: "key" | "value";
}

/** The part of `schema` that a path leads to; of several kinds, the one that the input has chosen. */
function at(schema: Schema, path: readonly PropertyKey[], input: unknown): Schema | undefined {
  const node = bare(schema);
  const [head, ...rest] = path;
  if (head === undefined) return schema;
  if (node.def.type === "union") {
    const chosen = node.def.options?.find((option) => isKind(option, input)) ?? node.def.options?.[0];
    return chosen && at(chosen, path, input);
  }
  const next = node.def.type === "array" ? node.def.element : node.def.shape?.[String(head)];
  return next && at(next, rest, (input as Record<PropertyKey, unknown> | undefined)?.[head]);
}

function isKind(option: Schema, input: unknown): boolean {
  const kind = option.def.shape?.kind?.def.values?.[0];
  return kind !== undefined && kind === (input as { kind?: unknown } | undefined)?.kind;
}

/** The known word that was most likely meant, or undefined where none is near. */
export function nearest(word: string, known: readonly string[]): string | undefined {
  const plain = (text: string) => text.toLowerCase().replace(/[^a-z0-9]/g, "");
  const ranked = known
    .map((candidate) => ({ candidate, far: distance(plain(word), plain(candidate)) }))
    .sort((a, b) => a.far - b.far)[0];
  return ranked && ranked.far <= Math.max(2, Math.floor(word.length / 3)) ? ranked.candidate : undefined;
}

/** The mistake of an unknown key among `known`, which stand in `where` ("" at the top). */
export function unknownKey(where: string, name: string, known: readonly string[]): Mistake {
  const near = nearest(name, known);
  return {
    key: where === "" ? shownKey(name) : `${where}.${shownKey(name)}`,
    found: "a key that is not known",
    allowed: `${near === undefined ? "" : `did you mean ${near}? Known are `}${known.join(", ")}`,
  };
}

/** A place as editors and compilers write it. */
export function placeText({ file, line, column }: Place): string {
  return `${file}:${line}:${column}`;
}

/** A value as it is shown in a message: on one line, short, and without the password of an address. */
export function shown(value: unknown): string {
  if (value === undefined) return "nothing";
  try {
    return short(JSON.stringify(value).replace(/(:\/\/[^\s:@/"]*):[^\s/"]*@/g, "$1:...@"));
  } catch {
    // Objects in objects, deeper than JSON.stringify goes.
    return "a value too deep to be shown";
  }
}

/** The name of a key as it is shown: what a person would write stands as it is. */
function shownKey(name: string): string {
  return /^[\w-]{1,60}$/.test(name) ? name : shown(name);
}

function short(text: string): string {
  return text.length > 60 ? `${text.slice(0, 57)}...` : text;
}

function pathText(path: readonly PropertyKey[]): string {
  return path.map((part) => (typeof part === "number" ? `[${part}]` : `.${String(part)}`)).join("");
}

/** Puts what zod found in the section `name` into the words of this project. */
export function mistakesOf(name: string, schema: z.ZodType, input: unknown, error: z.ZodError): Mistake[] {
  return locatedMistakes(name, schema, input, error).map(({ mistake }) => mistake);
}

/** The same with the way to each; `name` is empty where the input is a file by itself. */
export function locatedMistakes(
  name: string,
  schema: z.ZodType,
  input: unknown,
  error: z.ZodError,
): Located[] {
  const seen = new Set<string>();
  return error.issues.flatMap((issue): Located[] => {
    const { path } = issue;
    const where = `${name}${pathText(path)}`.replace(/^\./, "");
    const target = at(schema, path, input);
    if (issue.code === "unrecognized_keys") {
      // zod names the object; the object may itself be one kind of several.
      const object =
        target && (bare(target).def.options?.find((option) => isKind(option, issue.input)) ?? bare(target));
      const known = Object.keys(object?.def.shape ?? {});
      return issue.keys.map((found) => ({
        mistake: unknownKey(where, found, known),
        path: [...path, found],
        of: "key",
      }));
    }
    // One wrong value can break several checks of its type; it is one mistake.
    if (seen.has(where)) return [];
    seen.add(where);
    if (issue.code === "invalid_union" && issue.discriminator !== undefined) {
      const kinds = (issue as { options?: string[] }).options ?? [];
      const { kind } = issue.input as { kind?: unknown };
      const guess = typeof kind === "string" ? nearest(kind, kinds) : undefined;
      const allowed = `${guess === undefined ? "" : `did you mean ${guess}? `}one of ${kinds.join(", ")}`;
      return [{ mistake: { key: where, found: shown(kind), allowed }, path, of: "value" }];
    }
    const allowed = meta(target)?.allowed ?? issue.message;
    return [{ mistake: { key: where, found: shown(issue.input), allowed }, path, of: "value" }];
  });
}
