/** Seconds in each unit of the crate humantime, whose form Attic's durations have. */
const UNITS: readonly (readonly [seconds: number, ...names: string[]])[] = [
  [1e-9, "nsec", "ns"],
  [1e-6, "usec", "us"],
  [1e-3, "msec", "ms"],
  [1, "seconds", "second", "secs", "sec", "s"],
  [60, "minutes", "minute", "mins", "min", "m"],
  [3600, "hours", "hour", "hrs", "hr", "h"],
  [86_400, "days", "day", "d"],
  [604_800, "weeks", "week", "wks", "wk", "w"],
  [2_630_016, "months", "month", "M"],
  [31_557_600, "years", "year", "yrs", "yr", "y"],
];

/** @returns seconds of a text such as "12h" or "1day 2hours", or undefined where it is none. */
export function readDuration(text: string): number | undefined {
  if (text === "0") return 0;
  if (!/^\s*(?:\d+(?:\.\d+)?\s*[A-Za-z]+\s*)+$/.test(text)) return undefined;
  let total = 0;
  for (const [, amount = "", name = ""] of text.matchAll(/(\d+(?:\.\d+)?)\s*([A-Za-z]+)/g)) {
    const unit = UNITS.find(([, ...names]) => names.includes(name));
    if (unit === undefined) return undefined;
    total += Number(amount) * unit[0];
  }
  return total;
}
