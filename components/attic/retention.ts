import { toSeconds, UNITS } from "./duration.ts";

/** How long a path that nobody pulls is kept, in the words of the settings. */
export type Retention = "default" | "never" | (string & {});

/** The column holds 32 bits with a sign. */
const LONGEST = 2 ** 31 - 1;

/** Attic's form of it: `Global` for the server's default, else seconds, where 0 is for ever. */
export type RetentionConfig = "Global" | { Period: number };

export const RETENTION_RULE =
  "default, never, or a whole number with s, m, h, d, w or y such as 90d, at most 68y";

/** @throws RangeError where the text is none of what RETENTION_RULE says. */
export function toRetentionConfig(retention: Retention): RetentionConfig {
  if (retention === "default") return "Global";
  if (retention === "never") return { Period: 0 };
  const period = toSeconds(retention) ?? Number.NaN;
  if (!(period <= LONGEST))
    throw new RangeError(`${JSON.stringify(retention)} is not a retention: ${RETENTION_RULE}`);
  return { Period: period };
}

/** The words for what a server says: days wherever they come out even, as people count retention in days. */
export function fromRetentionConfig(config: RetentionConfig): Retention {
  if (config === "Global") return "default";
  if (config.Period === 0) return "never";
  const units = (["d", "h", "m", "s"] as const).filter((unit) => config.Period % UNITS[unit] === 0);
  const [unit = "s"] = units;
  return `${config.Period / UNITS[unit]}${unit}`;
}

export function isRetention(text: string): boolean {
  try {
    toRetentionConfig(text);
    return true;
  } catch {
    return false;
  }
}
