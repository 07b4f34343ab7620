/** How long a path that nobody pulls is kept, in the words of the settings. */
export type Retention = "default" | "never" | (string & {});

const UNITS = { d: 86_400, w: 604_800, y: 31_536_000 } as const;
/** The column holds 32 bits with a sign. */
const LONGEST = 2 ** 31 - 1;

/** Attic's form of it: `Global` for the server's default, else seconds, where 0 is for ever. */
export type RetentionConfig = "Global" | { Period: number };

export const RETENTION_RULE = "default, never, or a whole number with d, w or y such as 90d, at most 68y";

/** @throws RangeError where the text is none of what RETENTION_RULE says. */
export function toRetentionConfig(retention: Retention): RetentionConfig {
  if (retention === "default") return "Global";
  if (retention === "never") return { Period: 0 };
  const [, amount, unit] = /^([1-9][0-9]{0,5})([dwy])$/.exec(retention) ?? [];
  const period = amount === undefined ? Number.NaN : Number(amount) * UNITS[unit as keyof typeof UNITS];
  if (!(period <= LONGEST))
    throw new RangeError(`${JSON.stringify(retention)} is not a retention: ${RETENTION_RULE}`);
  return { Period: period };
}
