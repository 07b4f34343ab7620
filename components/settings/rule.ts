import type { Mistake } from "./mistakes.ts";
import type { Declared, SecretsGiven } from "./schema.ts";

/** The sections that could be read; a rule that needs a missing one says nothing. */
export type Readable = Partial<Declared>;

/** What a single key cannot know. */
export type Rule = (settings: Readable, given: SecretsGiven) => Mistake[];

/** Each item of a list that is like an earlier one, with the places of both. */
export function repeated<T>(
  items: readonly T[],
  name: (item: T) => string,
): { name: string; at: number; first: number }[] {
  const seen = new Map<string, number>();
  return items.flatMap((item, at) => {
    const first = seen.get(name(item));
    if (first !== undefined) return [{ name: name(item), at, first }];
    seen.set(name(item), at);
    return [];
  });
}
