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

/** Whether a pattern stands for a cache's name. */
export function matchesPattern(pattern: string, name: string): boolean {
  const parts = pattern.split("*").map((part) => part.replace(/[+]/g, "\\+"));
  return new RegExp(`^${parts.join(".*")}$`).test(name);
}
