const UNITS = [
  ["day", 86_400],
  ["hour", 3600],
  ["minute", 60],
] as const;

/** Such as "3 hours", in the greatest unit of which there is one. */
export function age(seconds: number): string {
  const [unit, length] = UNITS.find(([, length]) => seconds >= length) ?? ["", 0];
  if (length === 0) return "less than a minute";
  const count = Math.floor(seconds / length);
  return `${count} ${unit}${count === 1 ? "" : "s"}`;
}
