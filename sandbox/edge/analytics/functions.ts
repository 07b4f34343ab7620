import { SqlError } from "./sql-error.ts";

/** What a column of an answer holds. Times are seconds. */
export type Type = "String" | "Float64" | "UInt64" | "UInt32" | "UInt8" | "DateTime" | "Interval";
export type Value = string | number;

export interface Function {
  /** How many arguments it takes, at least and at most. */
  count: readonly [number, number];
  type: (types: readonly Type[]) => Type;
  run: (values: readonly Value[], types: readonly Type[]) => Value;
}

const number = (value: Value | undefined) => Number(value);
const text = (value: Value | undefined) => String(value);

function arithmetic(run: (a: number, b: number) => number): Function {
  return {
    count: [2, 2],
    type: ([a, b]) => (a === "DateTime" ? (b === "DateTime" ? "UInt32" : "DateTime") : "Float64"),
    run: ([a, b]) => run(number(a), number(b)),
  };
}

function comparison(run: (order: number) => boolean): Function {
  return {
    count: [2, 2],
    type: () => "UInt8",
    run: ([a = "", b = ""], [first, second]) => {
      if (first === "DateTime" && second === "String") return Number(run(number(a) - toSeconds(text(b))));
      if (first === "String" && second === "DateTime") return Number(run(toSeconds(text(a)) - number(b)));
      if ((first === "String") !== (second === "String"))
        throw new SqlError(`cannot compare ${String(first)} with ${String(second)}`);
      return Number(run(a < b ? -1 : a > b ? 1 : 0));
    },
  };
}

function startOf(seconds: number): Function {
  return { count: [1, 1], type: () => "DateTime", run: ([at]) => Math.floor(number(at) / seconds) * seconds };
}

function ofText(type: Type, run: (value: string, ...more: Value[]) => Value, most = 1): Function {
  return { count: [most, most], type: () => type, run: ([value, ...more]) => run(text(value), ...more) };
}

/** What can be done with single values, by the name in lower case: operators, and ClickHouse's functions. */
export const FUNCTIONS: Readonly<Record<string, Function>> = {
  "+": arithmetic((a, b) => a + b),
  "-": arithmetic((a, b) => a - b),
  "*": arithmetic((a, b) => a * b),
  "/": arithmetic((a, b) => a / b),
  "%": arithmetic((a, b) => a % b),
  intdiv: arithmetic((a, b) => Math.trunc(a / b)),
  "=": comparison((order) => order === 0),
  "==": comparison((order) => order === 0),
  "!=": comparison((order) => order !== 0),
  "<>": comparison((order) => order !== 0),
  "<": comparison((order) => order < 0),
  "<=": comparison((order) => order <= 0),
  ">": comparison((order) => order > 0),
  ">=": comparison((order) => order >= 0),
  and: { count: [2, 2], type: () => "UInt8", run: ([a, b]) => Number(number(a) !== 0 && number(b) !== 0) },
  or: { count: [2, 2], type: () => "UInt8", run: ([a, b]) => Number(number(a) !== 0 || number(b) !== 0) },
  not: { count: [1, 1], type: () => "UInt8", run: ([a]) => Number(number(a) === 0) },
  in: {
    count: [2, Infinity],
    type: () => "UInt8",
    run: ([value, ...values]) => Number(values.some((other) => other === value)),
  },
  like: ofText("UInt8", (value, pattern) => Number(like(text(pattern)).test(value)), 2),
  if: {
    count: [3, 3],
    type: ([, type = "String"]) => type,
    run: ([test, yes = "", no = ""]) => (number(test) !== 0 ? yes : no),
  },
  length: ofText("UInt64", (value) => Buffer.byteLength(value)),
  empty: ofText("UInt8", (value) => Number(value === "")),
  lower: ofText("String", (value) => value.toLowerCase()),
  upper: ofText("String", (value) => value.toUpperCase()),
  startswith: ofText("UInt8", (value, prefix) => Number(value.startsWith(text(prefix))), 2),
  endswith: ofText("UInt8", (value, suffix) => Number(value.endsWith(text(suffix))), 2),
  substring: ofText(
    "String",
    (value, at, count) => value.slice(number(at) - 1, number(at) - 1 + number(count)),
    3,
  ),
  touint32: { count: [1, 1], type: () => "UInt32", run: ([value]) => Math.trunc(number(value)) },
  todatetime: {
    count: [1, 2],
    type: () => "DateTime",
    run: ([value], [type]) => (type === "String" ? toSeconds(text(value)) : number(value)),
  },
  tounixtimestamp: {
    count: [1, 1],
    type: () => "UInt32",
    run: ([value], [type]) => (type === "String" ? toSeconds(text(value)) : number(value)),
  },
  now: { count: [0, 0], type: () => "DateTime", run: () => Math.floor(Date.now() / 1000) },
  tostartofminute: startOf(60),
  tostartofhour: startOf(3600),
  tostartofday: startOf(86_400),
};

/** A time as ClickHouse writes it, in UTC: "2026-01-31 12:00:00". */
export function fromSeconds(seconds: number): string {
  return new Date(seconds * 1000).toISOString().slice(0, 19).replace("T", " ");
}

function toSeconds(given: string): number {
  const [, day, time = "00:00:00"] = /^(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d:\d\d))?$/.exec(given) ?? [];
  const at = day === undefined ? Number.NaN : Date.parse(`${day}T${time}Z`);
  if (Number.isNaN(at)) throw new SqlError(`'${given}' is no time; one is written as '2026-01-31 12:00:00'`);
  return at / 1000;
}

function like(pattern: string): RegExp {
  const quoted = pattern.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
  return new RegExp(`^${quoted.replaceAll("%", "[\\s\\S]*").replaceAll("_", "[\\s\\S]")}$`);
}
