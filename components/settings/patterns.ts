/** Stands in for whatever a star may be: a character that no name has. */
const ANY = "?";

/**
 * Whether a pattern of cache names matches everything that another one matches.
 *
 * What the other's stars stand for can be a character that the pattern does not have, so only stars of its own
 * reach over them; and where they do, they reach over anything else as well.
 */
export function coversPattern(pattern: string, other: string): boolean {
  return matches(pattern, other.replaceAll("*", ANY));
}

/** Matching by stars, from the left, each as short as can be: in time that grows with the product of both lengths. */
function matches(pattern: string, text: string): boolean {
  const [head = "", ...parts] = pattern.split("*");
  const tail = parts.pop();
  if (tail === undefined) return head === text;
  if (!text.startsWith(head)) return false;
  let from = head.length;
  for (const part of parts) {
    const found = text.indexOf(part, from);
    if (found === -1) return false;
    from = found + part.length;
  }
  return text.length - from >= tail.length && text.endsWith(tail);
}
