import { randomInt } from "node:crypto";
import type { Properties } from "../../../provider/protocol/values.ts";
import type { CheckFailure } from "../../../provider/protocol/provider.ts";

const LOWER = "abcdefghijklmnopqrstuvwxyz";
const UPPER = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
const DIGITS = "0123456789";
const SPECIAL = "!@#$%&*()-_=+[]{}<>:?";

/** The inputs of RandomPassword and RandomString, which differ in nothing but what is secret. */
export const CHARACTER_INPUTS = {
  keepers: null,
  length: null,
  lower: true,
  minLower: 0,
  minNumeric: 0,
  minSpecial: 0,
  minUpper: 0,
  number: null,
  numeric: null,
  overrideSpecial: null,
  special: true,
  upper: true,
} as const;

interface Class {
  characters: string;
  wanted: boolean;
  minimum: number;
}

function classes(inputs: Properties): Class[] {
  const text = (name: string): string => (typeof inputs[name] === "string" ? inputs[name] : "");
  const count = (name: string): number => (typeof inputs[name] === "number" ? inputs[name] : 0);
  const wanted = (name: string): boolean => inputs[name] !== false;
  return [
    { characters: LOWER, wanted: wanted("lower"), minimum: count("minLower") },
    { characters: UPPER, wanted: wanted("upper"), minimum: count("minUpper") },
    { characters: DIGITS, wanted: wanted("numeric") && wanted("number"), minimum: count("minNumeric") },
    {
      characters: text("overrideSpecial") || SPECIAL,
      wanted: wanted("special"),
      minimum: count("minSpecial"),
    },
  ];
}

/** What the official plugin refuses of the inputs of a random string; unknown inputs are not there. */
export function checkCharacters(inputs: Properties): CheckFailure[] {
  const { length } = inputs;
  if (length === undefined) return [];
  if (typeof length !== "number" || !Number.isInteger(length) || length < 1) {
    return [{ property: "length", reason: "Attribute length value must be at least 1" }];
  }
  const least = classes(inputs).reduce((sum, { minimum }) => sum + minimum, 0);
  if (least > length) {
    return [{ property: "length", reason: `Attribute length value must be at least sum of min*, ${least}` }];
  }
  if (classes(inputs).every(({ wanted }) => !wanted)) {
    return [{ property: "lower", reason: "At least one of upper, lower, numeric and special must be true" }];
  }
  return [];
}

/** A random string of the wanted length and classes, each character drawn from a cryptographic source. */
export function randomCharacters(inputs: Properties): string {
  const length = typeof inputs.length === "number" ? inputs.length : 0;
  const wanted = classes(inputs);
  const any = wanted.flatMap(({ characters, wanted }) => (wanted ? [characters] : [])).join("");
  const drawn = wanted.flatMap(({ characters, minimum }) =>
    Array.from({ length: minimum }, () => pick(characters)),
  );
  while (drawn.length < length) drawn.push(pick(any));
  return shuffle(drawn).join("");
}

function pick(characters: string): string {
  return characters.charAt(randomInt(characters.length));
}

function shuffle(items: string[]): string[] {
  for (let last = items.length - 1; last > 0; last--) {
    const other = randomInt(last + 1);
    [items[last], items[other]] = [items[other] ?? "", items[last] ?? ""];
  }
  return items;
}
