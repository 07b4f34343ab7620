import type { z } from "zod";
import { type Mistake, mistakesOf, unknownKey } from "./mistakes.ts";
import { rules } from "./rules.ts";
import {
  type PlainKey,
  plainKeys,
  type SecretKey,
  secretKeys,
  type SecretsGiven,
  type Settings,
} from "./schema.ts";

/** What a stack's file holds for one project, as the engine hands it over. */
export interface RawConfig {
  /** Key without the project's name, to its text; an object is JSON. */
  values: Readonly<Record<string, string>>;
  /** Keys that hold a secret anywhere in them. */
  secrets: ReadonlySet<string>;
}

/** The settings, or all that is wrong with them. */
export type Parsed = { settings: Settings; mistakes?: never } | { settings?: never; mistakes: Mistake[] };

const isPlain = (name: string): name is PlainKey => Object.hasOwn(plainKeys, name);
const isSecret = (name: string): name is SecretKey => Object.hasOwn(secretKeys, name);

/** Checks everything at once, and asks neither Pulumi nor the machine. */
export function parseSettings(raw: RawConfig): Parsed {
  const mistakes: Mistake[] = [];
  const sections: Partial<Record<PlainKey, unknown>> = {};
  const given = new Set<SecretKey>();

  for (const name of Object.keys(raw.values)) {
    if (!isPlain(name) && !isSecret(name))
      mistakes.push(unknownKey("", name, [...Object.keys(plainKeys), ...Object.keys(secretKeys)]));
  }
  for (const name of Object.keys(secretKeys) as SecretKey[]) {
    const value = raw.values[name];
    if (value === undefined) continue;
    given.add(name);
    const mistake = checkSecret(name, value, raw.secrets.has(name));
    if (mistake) mistakes.push(mistake);
  }
  for (const name of Object.keys(plainKeys) as PlainKey[]) {
    if (raw.secrets.has(name)) {
      mistakes.push({
        key: name,
        found: "a secret inside",
        allowed: `plain values only; secrets have keys of their own: ${Object.keys(secretKeys).join(", ")}`,
      });
      continue;
    }
    const schema: z.ZodType = plainKeys[name];
    const input = decode(raw.values[name], schema);
    const result = schema.safeParse(input, { reportInput: true });
    if (result.success) sections[name] = result.data;
    else mistakes.push(...mistakesOf(name, schema, input, result.error));
  }

  const readable = sections as Partial<Settings>;
  mistakes.push(...rules.flatMap((rule) => rule(readable, given satisfies SecretsGiven)));
  return mistakes.length > 0 ? { mistakes } : { settings: readable as Settings };
}

function checkSecret(name: SecretKey, value: string, encrypted: boolean): Mistake | undefined {
  const { allowed } = secretKeys[name].meta() as { allowed: string };
  if (!encrypted)
    return {
      key: name,
      found: "a plain value",
      allowed: `an encrypted one: pulumi config set --secret ${name}, and make a new one where this one was committed`,
    };
  if (!secretKeys[name].safeParse(value).success)
    return { key: name, found: "a secret of another form", allowed };
  return undefined;
}

/** Objects and lists arrive as JSON, and so does what is true or false; any other text is itself. */
function decode(text: string | undefined, schema: z.ZodType): unknown {
  const isFlag = schema.safeParse(true).success;
  if (text === undefined || !(isFlag ? /^(true|false)$/ : /^\s*[[{]/).test(text)) return text;
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

/** All mistakes as one text for a person, each with its key, what was found and what is allowed. */
export function describeMistakes(stack: string, project: string, mistakes: readonly Mistake[]): string {
  const count = mistakes.length === 1 ? "a mistake" : `${mistakes.length} mistakes`;
  const rows = mistakes.map(
    ({ key, found, allowed }) => `  ${project}:${key}\n      found:   ${found}\n      allowed: ${allowed}`,
  );
  return [
    `Pulumi.${stack}.yaml has ${count}; nothing was changed.`,
    ...rows,
    "docs/settings.md describes every key.",
  ].join("\n");
}
