import type { Expression } from "./parse.ts";
import { FUNCTIONS, type Type, type Value } from "./functions.ts";
import { SqlError } from "./sql-error.ts";

/** One point as a row: its columns by name. */
export type Row = Readonly<Record<string, Value>>;

/** An expression that can be worked out, of a group of rows: of a query without groups, each row is one. */
export interface Compiled {
  type: Type;
  run: (group: readonly Row[]) => Value;
  /** Whether it makes one value of many rows. */
  aggregate: boolean;
  /** Columns that stand outside of aggregates. */
  columns: readonly string[];
}

const TYPES = new Map<string, Type>([
  ["timestamp", "DateTime"],
  ["dataset", "String"],
  ["index1", "String"],
  ["_sample_interval", "UInt32"],
]);
for (let at = 1; at <= 20; at++) TYPES.set(`blob${at}`, "String").set(`double${at}`, "Float64");

/** All columns of a dataset, in the order of `SELECT *`. */
export const COLUMNS = [...TYPES.keys()];

interface Aggregate {
  count: number;
  type: (type: Type) => Type;
  run: (values: readonly Value[], others: readonly Value[]) => Value;
}

const sum = (values: readonly Value[]) => values.reduce<number>((all, value) => all + Number(value), 0);
const extreme = (values: readonly Value[], sign: number) =>
  values.reduce((best, value) => ((value > best ? 1 : -1) * sign > 0 ? value : best));

const AGGREGATES: Readonly<Record<string, Aggregate>> = {
  sum: { count: 1, type: (type) => (type === "Float64" ? type : "UInt64"), run: (values) => sum(values) },
  avg: { count: 1, type: () => "Float64", run: (values) => sum(values) / values.length },
  min: { count: 1, type: (type) => type, run: (values) => extreme(values, -1) },
  max: { count: 1, type: (type) => type, run: (values) => extreme(values, 1) },
  any: { count: 1, type: (type) => type, run: ([value = ""]) => value },
  uniq: { count: 1, type: () => "UInt64", run: (values) => new Set(values).size },
  countif: { count: 1, type: () => "UInt64", run: (values) => values.filter((value) => value !== 0).length },
  argmax: {
    count: 2,
    type: (type) => type,
    run: (values, others) => values[others.indexOf(extreme(others, 1))] ?? "",
  },
};

/**
 * Makes an expression ready to be worked out.
 *
 * @param aliases expressions by the names that the query gives them; a column of the dataset comes first.
 */
export function compile(expression: Expression, aliases: ReadonlyMap<string, Expression>): Compiled {
  switch (expression.kind) {
    case "number":
      return constant("Float64", expression.value);
    case "string":
      return constant("String", expression.value);
    case "interval":
      return constant("Interval", expression.seconds);
    case "star":
    case "list":
      throw new SqlError("did not expect * or a list here");
    case "column":
      return column(expression.name, aliases);
    case "call":
      return compileCall(expression, aliases);
  }
}

function constant(type: Type, value: Value): Compiled {
  return { type, run: () => value, aggregate: false, columns: [] };
}

function column(name: string, aliases: ReadonlyMap<string, Expression>): Compiled {
  const type = TYPES.get(name);
  if (type !== undefined)
    return { type, run: ([row]) => row?.[name] ?? "", aggregate: false, columns: [name] };
  const alias = aliases.get(name);
  if (!alias) throw new SqlError(`there is no column ${name}`);
  // Inside of what it names, an alias names nothing.
  const others = new Map([...aliases].filter(([other]) => other !== name));
  return compile(alias, others);
}

function compileCall(
  { name, args, distinct }: Extract<Expression, { kind: "call" }>,
  aliases: ReadonlyMap<string, Expression>,
): Compiled {
  const lower = name.toLowerCase();
  if (lower === "count" && !distinct) return count(args, aliases);
  const aggregate = AGGREGATES[lower === "count" ? "uniq" : lower];
  if (aggregate) {
    if (args.length !== aggregate.count) throw new SqlError(`${name} takes ${aggregate.count} arguments`);
    const [value, other] = args.map((argument) => compile(argument, aliases));
    if (!value || value.aggregate || other?.aggregate)
      throw new SqlError(`${name} of an aggregate is not possible`);
    return {
      type: aggregate.type(value.type),
      run: (rows) => {
        // Of no rows ClickHouse has no null, but nothing.
        if (rows.length === 0) return value.type === "String" ? "" : 0;
        const values = rows.map((row) => value.run([row]));
        return aggregate.run(values, other ? rows.map((row) => other.run([row])) : []);
      },
      aggregate: true,
      columns: [],
    };
  }
  const known = FUNCTIONS[lower];
  if (!known || distinct) throw new SqlError(`the sandbox does not play the function ${name}`);
  const inner = args
    .flatMap((argument) => (argument.kind === "list" ? argument.items : [argument]))
    .map((argument) => compile(argument, aliases));
  const [least, most] = known.count;
  if (inner.length < least || inner.length > most)
    throw new SqlError(`${name} does not take ${inner.length} arguments`);
  const types = inner.map(({ type }) => type);
  return {
    type: known.type(types),
    run: (group) =>
      known.run(
        inner.map(({ run }) => run(group)),
        types,
      ),
    aggregate: inner.some((argument) => argument.aggregate),
    columns: inner.flatMap(({ columns }) => columns),
  };
}

function count(args: readonly Expression[], aliases: ReadonlyMap<string, Expression>): Compiled {
  if (args.length > 1) throw new SqlError("count takes one argument at most");
  for (const argument of args) if (argument.kind !== "star") compile(argument, aliases);
  return { type: "UInt64", run: (rows) => rows.length, aggregate: true, columns: [] };
}
