import type { CheckFailure } from "../../../provider/protocol/provider.ts";
import {
  isObject,
  Opaque,
  Secret,
  Unknown,
  type Properties,
  type Value,
} from "../../../provider/protocol/values.ts";

/** What an input may be: with `!` it has to be there, of a list each entry has the shape, of an object each field. */
export type Shape =
  Scalar | `${Scalar}!` | { list: Shape; required?: true } | { fields: Fields; required?: true };
type Scalar = "string" | "number" | "boolean";

export type Fields = Readonly<Record<string, Shape>>;

/** What is wrong with inputs: missing, of another type, or not there at all. What is not known yet passes. */
export function misshapen(properties: Properties, fields: Fields, path = ""): CheckFailure[] {
  const at = (name: string) => (path === "" ? name : `${path}.${name}`);
  const missing = Object.entries(fields)
    .filter(([name, shape]) => isRequired(shape) && (properties[name] ?? null) === null)
    .map(([name]) => ({ property: at(name), reason: `Missing required property '${name}'` }));
  const wrong = Object.entries(properties).flatMap(([name, value]) => {
    const shape = fields[name];
    if (shape === undefined)
      return [
        {
          property: at(name),
          reason: `the sandbox's stand-in knows no input ${at(name)}`,
        } satisfies CheckFailure,
      ];
    return value === null ? [] : misfit(value, shape, at(name));
  });
  return [...missing, ...wrong];
}

function misfit(value: Value, shape: Shape, path: string): CheckFailure[] {
  if (value instanceof Secret) return misfit(value.value, shape, path);
  if (value instanceof Unknown || value === null) return [];
  const not = (what: string) => [{ property: path, reason: `${path} must be ${what}` }];
  if (value instanceof Opaque) return not("no asset");
  if (typeof shape === "string") {
    const wanted = shape.replace("!", "");
    return typeof value === wanted ? [] : not(`a ${wanted}`);
  }
  if ("list" in shape) {
    if (!Array.isArray(value)) return not("a list");
    return value.flatMap((entry, index) => misfit(entry, shape.list, `${path}[${index}]`));
  }
  return isObject(value) ? misshapen(value, shape.fields, path) : not("an object");
}

function isRequired(shape: Shape): boolean {
  return typeof shape === "string" ? shape.endsWith("!") : shape.required === true;
}

/** Whether text is one of the words, whatever their case; anything that is no text passes. */
export function oneOf(property: string, value: Value | undefined, words: readonly string[]): CheckFailure[] {
  if (typeof value !== "string" || words.some((word) => word.toLowerCase() === value.toLowerCase()))
    return [];
  return [{ property, reason: `${property} must be one of ${words.join(", ")}, got "${value}"` }];
}

/** Whether text is JSON. The words never hold the text. */
export function isJson(property: string, value: Value | undefined): CheckFailure[] {
  if (typeof value !== "string") return [];
  try {
    JSON.parse(value);
    return [];
  } catch {
    return [{ property, reason: `${property} must be valid JSON` }];
  }
}
