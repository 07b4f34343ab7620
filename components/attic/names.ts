/** Attic's own rule for the name of a cache (attic/src/cache.rs at b7c9056). */
const NAME = /^[A-Za-z0-9][A-Za-z0-9_+-]{0,49}$/;
/** The same for a pattern in a token, in which `*` stands for any text and `?` for itself. */
const PATTERN = /^[A-Za-z0-9*][A-Za-z0-9_+*-]{0,49}$/;

export const NAME_RULE = "1 to 50 of A-Z, a-z, 0-9, -, _ and +, beginning with a letter or digit";
export const PATTERN_RULE = `${NAME_RULE}; * stands for any text and may come first`;

export function isCacheName(text: string): boolean {
  return NAME.test(text);
}

export function isCachePattern(text: string): boolean {
  return PATTERN.test(text);
}

/** Whether a pattern stands for a cache's name, in time that grows with the product of both lengths. */
export function matchesPattern(pattern: string, name: string): boolean {
  const [head = "", ...parts] = pattern.split("*");
  const tail = parts.pop();
  if (tail === undefined) return head === name;
  if (!name.startsWith(head)) return false;
  let from = head.length;
  for (const part of parts) {
    const found = name.indexOf(part, from);
    if (found === -1) return false;
    from = found + part.length;
  }
  return name.length - from >= tail.length && name.endsWith(tail);
}

/** Stands in for whatever a star may be: a character that no name has. */
const ANY = "?";

/**
 * Whether a pattern stands for everything that another one stands for.
 *
 * What the other's stars are can be a character that the pattern does not have, so only stars of its own reach
 * over them; and where they do, they reach over anything else as well.
 */
export function coversPattern(pattern: string, other: string): boolean {
  return matchesPattern(pattern, other.replaceAll("*", ANY));
}
