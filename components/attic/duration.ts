/** In seconds. */
export const UNITS = { s: 1, m: 60, h: 3600, d: 86_400, w: 604_800, y: 31_536_000 } as const;

/** A whole number with a unit, such as 90d, in seconds; undefined where it is none. */
export function toSeconds(duration: string): number | undefined {
  const [, amount, unit] = /^([1-9][0-9]{0,9})([smhdwy])$/.exec(duration) ?? [];
  return amount === undefined ? undefined : Number(amount) * UNITS[unit as keyof typeof UNITS];
}
