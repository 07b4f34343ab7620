const BINARY = ["", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei"];
const DECIMAL = new Map([
  ["n", -9],
  ["u", -6],
  ["m", -3],
  ["", 0],
  ["k", 3],
  ["M", 6],
  ["G", 9],
  ["T", 12],
  ["P", 15],
  ["E", 18],
]);
const SYNTAX = /^([+-]?)(\d*)(?:\.(\d*))?(?:(Ki|Mi|Gi|Ti|Pi|Ei)|([numkMGTPE]?)|[eE]([+-]?\d+))$/;
/** Nothing smaller than a billionth is kept: it is rounded up. */
const SCALE = 9;

/**
 * The canonical form of a Kubernetes quantity, which is what the API server answers with: no fraction, the
 * largest suffix that leaves none, in the family of suffixes that was given ("1024Mi" is "1Gi", "0.5" is
 * "500m").
 *
 * @returns undefined where the text is no quantity.
 */
export function canonicalQuantity(given: string): string | undefined {
  const match = SYNTAX.exec(given);
  if (!match) return undefined;
  const [, sign = "", whole = "", fraction = "", binary, decimal, exponent] = match;
  if (whole === "" && fraction === "") return undefined;
  let nano = BigInt(whole + fraction || "0");
  let power = SCALE - fraction.length;
  if (binary !== undefined) nano *= 1024n ** BigInt(BINARY.indexOf(binary));
  else power += exponent === undefined ? (DECIMAL.get(decimal ?? "") ?? 0) : Number(exponent);
  if (power >= 0) nano *= 10n ** BigInt(power);
  else nano = divideUp(nano, 10n ** BigInt(-power));
  if (nano === 0n) return "0";
  const minus = sign === "-" ? "-" : "";
  const unit = 10n ** BigInt(SCALE);
  // Below 1024, or with a fraction, the binary suffixes say nothing: such a value is written with decimal ones.
  if (binary !== undefined && nano % unit === 0n && nano / unit >= 1024n) {
    return minus + largest(nano / unit, 1024n, (step) => BINARY[step]);
  }
  if (exponent !== undefined) {
    return minus + largest(nano, 1000n, (step) => (step === 3 ? "" : `e${step * 3 - SCALE}`));
  }
  const suffixes = [...DECIMAL.keys()];
  return minus + largest(nano, 1000n, (step) => suffixes[step]);
}

function largest(value: bigint, base: bigint, suffix: (step: number) => string | undefined): string {
  let step = 0;
  let rest = value;
  while (rest % base === 0n && suffix(step + 1) !== undefined) {
    rest /= base;
    step += 1;
  }
  return `${rest}${suffix(step) ?? ""}`;
}

function divideUp(value: bigint, by: bigint): bigint {
  return (value + by - 1n) / by;
}
