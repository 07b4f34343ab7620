import { COLUMNS, compile, type Compiled, type Row } from "./compile.ts";
import { fromSeconds, type Type, type Value } from "./functions.ts";
import { type Expression, parse, type Select } from "./parse.ts";
import type { Point } from "./points.ts";
import { SqlError } from "./sql-error.ts";

/**
 * Answers a query of Workers Analytics Engine, as far as it is played: one SELECT from one dataset.
 *
 * @param read the points of a dataset; undefined where there is none.
 * @throws SqlError
 */
export async function runSql(
  sql: string,
  read: (dataset: string) => Promise<Point[] | undefined>,
): Promise<Response> {
  const query = parse(sql);
  if (!["JSON", "JSONEACHROW"].includes(query.format.toUpperCase()))
    throw new SqlError(`the sandbox does not play the format ${query.format}`);
  const columns = columnsOf(query);
  const points = await read(query.from);
  if (!points) throw new SqlError(`unknown table: there is no dataset ${query.from}`);
  const { rows, before } = select(
    query,
    columns,
    points.map((point) => toRow(point, query.from)),
  );
  const data = rows.map((values) =>
    Object.fromEntries(columns.map(({ name, type }, at) => [name, shown(values[at] ?? "", type)])),
  );
  if (query.format.toUpperCase() === "JSONEACHROW")
    return new Response(data.map((row) => `${JSON.stringify(row)}\n`).join(""));
  const meta = columns.map(({ name, type }) => ({ name, type }));
  return Response.json({ meta, data, rows: data.length, rows_before_limit_at_least: before });
}

interface Column extends Compiled {
  name: string;
}

function columnsOf({ columns, groupBy }: Select): Column[] {
  const aliases = new Map(columns.map(({ name, expression }) => [name, expression]));
  const all = columns.flatMap<{ expression: Expression; name: string }>(({ expression, name }) =>
    expression.kind === "star"
      ? COLUMNS.map((column) => ({
          expression: { kind: "column", name: column },
          name: column,
        }))
      : [{ expression, name }],
  );
  const made = all.map(({ expression, name }) => ({ ...compile(expression, aliases), name, expression }));
  if (groupBy.length === 0 && !made.some(({ aggregate }) => aggregate)) return made;
  const grouped = groupBy.map((expression) => JSON.stringify(byName(expression, aliases)));
  const free = groupBy.flatMap((expression) => compile(byName(expression, aliases), new Map()).columns);
  for (const { name, expression, columns: used } of made) {
    const wrong = used.find((column) => !free.includes(column));
    if (wrong !== undefined && !grouped.includes(JSON.stringify(expression)))
      throw new SqlError(`column ${wrong} of ${name} is in no aggregate and not in GROUP BY`);
  }
  return made;
}

/** An expression where it may stand for the one that the query gave its name to. */
function byName(expression: Expression, aliases: ReadonlyMap<string, Expression>): Expression {
  return expression.kind === "column" ? (aliases.get(expression.name) ?? expression) : expression;
}

function select(
  query: Select,
  columns: readonly Column[],
  all: readonly Row[],
): { rows: Value[][]; before: number } {
  const aliases = new Map(query.columns.map(({ name, expression }) => [name, expression]));
  const { where, having, groupBy, orderBy, limit = Infinity, offset } = query;
  const condition = where && compile(where, aliases);
  if (condition?.aggregate) throw new SqlError("an aggregate cannot stand in WHERE");
  const found = condition ? all.filter((row) => condition.run([row]) !== 0) : all;
  const keys = groupBy.map((expression) => compile(byName(expression, aliases), new Map()));
  const one = groupBy.length === 0 && columns.some(({ aggregate }) => aggregate);
  const groups = one ? [found] : groupBy.length === 0 ? found.map((row) => [row]) : groupsOf(found, keys);
  const kept = having ? filter(groups, compile(byName(having, aliases), aliases)) : groups;
  const orders = orderBy.map(({ expression, descending }) => ({
    by: compile(byName(expression, aliases), aliases),
    sign: descending ? -1 : 1,
  }));
  const sorted = kept.toSorted((a, b) => {
    for (const { by, sign } of orders) {
      const [first, second] = [by.run(a), by.run(b)];
      if (first !== second) return first < second ? -sign : sign;
    }
    return 0;
  });
  const rows = sorted.slice(offset, offset + limit).map((group) => columns.map(({ run }) => run(group)));
  return { rows, before: sorted.length };
}

function filter(groups: readonly (readonly Row[])[], having: Compiled): (readonly Row[])[] {
  return groups.filter((group) => having.run(group) !== 0);
}

function groupsOf(rows: readonly Row[], keys: readonly Compiled[]): Row[][] {
  const groups = new Map<string, Row[]>();
  for (const row of rows) {
    const key = JSON.stringify(keys.map(({ run }) => run([row])));
    const group = groups.get(key);
    if (group) group.push(row);
    else groups.set(key, [row]);
  }
  return [...groups.values()];
}

function toRow({ time, indexes, blobs, doubles }: Point, dataset: string): Row {
  const numbered = Array.from({ length: 20 }, (_, at) => [
    [`blob${at + 1}`, blobs[at] ?? ""],
    [`double${at + 1}`, doubles[at] ?? 0],
  ]);
  return {
    timestamp: Math.floor(time / 1000),
    dataset,
    index1: indexes[0] ?? "",
    _sample_interval: 1,
    ...(Object.fromEntries(numbered.flat()) as Record<string, Value>),
  };
}

/** As ClickHouse's JSON has it: numbers of 64 bits stand as text. */
function shown(value: Value, type: Type): Value {
  if (type === "DateTime") return fromSeconds(Number(value));
  return type === "UInt64" ? String(value) : value;
}
