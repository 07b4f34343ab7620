import type { z } from "zod";
import { edgeMistakes } from "./edge-rules.ts";
import { keypairMistakes } from "./keypairs.ts";
import { type Mistake, mistakesOf, placeText, unknownKey } from "./mistakes.ts";
import { type Provided, provide, type ReadFile } from "./provided.ts";
import type { Readable } from "./rule.ts";
import { rules } from "./rules.ts";
import {
  type Declared,
  type PlainKey,
  plainKeys,
  type SecretKey,
  secretKeys,
  type Settings,
} from "./schema.ts";
import { completeToken } from "./tokens.ts";

/** What a stack's file holds for one project, as the engine hands it over. */
export interface RawConfig {
  /** Key without the project's name, to its text; an object is JSON. */
  values: Readonly<Record<string, string>>;
  /** Keys that hold a secret anywhere in them. */
  secrets: ReadonlySet<string>;
  /** Reads a file of the project; without it, a file of attic-provision is not looked at. */
  readFile?: ReadFile;
}

/** The settings and what is doubtful about them, or all that is wrong with them. */
export type Parsed =
  | { settings: Settings; warnings: string[]; mistakes?: never }
  | { settings?: never; warnings?: never; mistakes: Mistake[] };

const isPlain = (name: string): name is PlainKey => Object.hasOwn(plainKeys, name);
const isSecret = (name: string): name is SecretKey => Object.hasOwn(secretKeys, name);

/** Checks everything at once, and asks neither Pulumi nor the machine. */
export function parseSettings(raw: RawConfig): Parsed {
  const mistakes: Mistake[] = [];
  const sections: Partial<Record<PlainKey, unknown>> = {};
  const given = new Set<SecretKey>();
  const wellFormed = new Set<SecretKey>();

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
    else wellFormed.add(name);
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
    if (!result.success) mistakes.push(...mistakesOf(name, schema, input, result.error));
    else if (result.data !== undefined) sections[name] = result.data;
  }

  const readable = sections as Readable;
  const provided = provide(readable, raw.readFile);
  mistakes.push(...rules.flatMap((rule) => rule(readable, given)), ...provided.mistakes);
  const { cacheKeypairs } = raw.values;
  if (readable.caches && provided.complete) {
    const caches = [...readable.caches, ...provided.caches];
    if (cacheKeypairs !== undefined && wellFormed.has("cacheKeypairs"))
      mistakes.push(
        ...keypairMistakes(
          cacheKeypairs,
          caches.map(({ name }) => name),
        ),
      );
    if (readable.edge)
      mistakes.push(...edgeMistakes(readable.edge, caches, readable.server?.signingAlgorithm));
  }
  if (mistakes.length > 0) return { mistakes };
  return { settings: complete(readable as Declared, provided), warnings: provided.warnings };
}

/** The settings with what a file declares beside them, and what a token leaves to other keys. */
function complete(declared: Declared, { caches, tokens }: Provided): Settings {
  return {
    ...declared,
    caches: [...declared.caches, ...caches],
    tokens: [...declared.tokens, ...tokens].map((token) => completeToken(token, declared.server)),
  };
}

function checkSecret(name: SecretKey, value: string, encrypted: boolean): Mistake | undefined {
  const { allowed } = secretKeys[name].meta() as { allowed: string };
  if (!encrypted)
    return {
      key: name,
      found: "a plain value",
      allowed: `an encrypted one: pulumi config set --secret ${name}, and make a new one where this one was committed`,
    };
  const { error } = secretKeys[name].safeParse(value);
  if (error === undefined) return undefined;
  // Of these messages only those of one's own are sure not to quote the value.
  const own = error.issues.find(({ code, message }) => code === "custom" && message.startsWith("a secret "));
  return { key: name, found: own?.message ?? "a secret of another form", allowed };
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
  const stackFile = `Pulumi.${stack}.yaml`;
  const files = [...new Set(mistakes.map(({ place }) => place?.file ?? stackFile))];
  const rows = mistakes.map(({ key, found, allowed, place }) => {
    const where = place ? `${placeText(place)}: ${key}` : `${project}:${key}`;
    return `  ${where}\n      found:   ${found}\n      allowed: ${allowed}`;
  });
  return [
    `${files.join(" and ") || stackFile} ${files.length > 1 ? "have" : "has"} ${count}; nothing was changed.`,
    ...rows,
    files.some((file) => file !== stackFile)
      ? "docs/settings.md describes every key, and docs/caches.md those of attic-provision."
      : "docs/settings.md describes every key.",
  ].join("\n");
}
