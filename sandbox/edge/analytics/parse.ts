import { SqlError } from "./sql-error.ts";

/** An expression of a query. */
export type Expression =
  | { kind: "number"; value: number }
  | { kind: "string"; value: string }
  | { kind: "interval"; seconds: number }
  | { kind: "column"; name: string }
  | { kind: "star" }
  | { kind: "call"; name: string; args: Expression[]; distinct: boolean }
  | { kind: "list"; items: Expression[] };

export interface Select {
  columns: { expression: Expression; name: string }[];
  from: string;
  where?: Expression;
  groupBy: Expression[];
  having?: Expression;
  orderBy: { expression: Expression; descending: boolean }[];
  limit?: number;
  offset: number;
  format: string;
}

const TOKEN =
  /\s+|--[^\n]*|(?<number>\d+(?:\.\d+)?(?:e[+-]?\d+)?)|(?<word>[A-Za-z_]\w*)|(?<quoted>`[^`]+`|"[^"]+")|(?<string>'(?:[^'\\]|\\.|'')*')|(?<sign><=|>=|!=|<>|==|[-+*/%()=<>,;])/giy;
const UNITS: Readonly<Record<string, number>> = {
  SECOND: 1,
  MINUTE: 60,
  HOUR: 3600,
  DAY: 86_400,
  WEEK: 604_800,
  MONTH: 30 * 86_400,
  YEAR: 365 * 86_400,
};
/** From the loosest to the tightest. */
const OPERATORS = [
  ["OR"],
  ["AND"],
  [],
  ["=", "==", "!=", "<>", "<", "<=", ">", ">="],
  ["+", "-"],
  ["*", "/", "%"],
];
const RESERVED = new Set(
  "SELECT FROM WHERE GROUP HAVING ORDER BY LIMIT OFFSET FORMAT AS AND OR NOT IN LIKE BETWEEN ASC DESC".split(
    " ",
  ),
);

interface Token {
  type: "number" | "word" | "quoted" | "string" | "sign";
  text: string;
}

/** Reads a query of Workers Analytics Engine. @throws SqlError that says what is not understood. */
export function parse(sql: string): Select {
  return new Parser(tokens(sql)).select();
}

function tokens(sql: string): Token[] {
  const found: Token[] = [];
  TOKEN.lastIndex = 0;
  while (TOKEN.lastIndex < sql.length) {
    const at = TOKEN.lastIndex;
    const match = TOKEN.exec(sql);
    if (!match) throw new SqlError(`cannot read the query from "${sql.slice(at, at + 20)}" on`);
    const groups: Record<string, string | undefined> = match.groups ?? {};
    const [type, text] = Object.entries(groups).find(([, value]) => value !== undefined) ?? [];
    if (text !== undefined) found.push({ type: type as Token["type"], text });
  }
  return found;
}

class Parser {
  readonly #tokens: readonly Token[];
  #at = 0;

  constructor(all: readonly Token[]) {
    this.#tokens = all;
  }

  select(): Select {
    this.#expect("SELECT");
    const columns = this.#list(() => {
      const begin = this.#at;
      const expression = this.#expression();
      const written = this.#tokens.slice(begin, this.#at).map(({ text }) => text);
      const name = this.#take("AS") ? this.#name() : written.join("").replace(/^[`"](.*)[`"]$/, "$1");
      return { expression, name };
    });
    this.#expect("FROM");
    if (this.#next()?.text === "(") throw new SqlError("the sandbox does not play subqueries");
    const from = this.#name();
    const where = this.#take("WHERE") ? this.#expression() : undefined;
    const groupBy = this.#take("GROUP") ? this.#by(() => this.#expression()) : [];
    const having = this.#take("HAVING") ? this.#expression() : undefined;
    const orderBy = this.#take("ORDER")
      ? this.#by(() => {
          const expression = this.#expression();
          const descending = this.#take("DESC");
          if (!descending) this.#take("ASC");
          return { expression, descending };
        })
      : [];
    const limit = this.#take("LIMIT") && !this.#take("ALL") ? this.#whole() : undefined;
    const offset = this.#take("OFFSET") ? this.#whole() : 0;
    const format = this.#take("FORMAT") ? this.#name() : "JSON";
    this.#take(";");
    const rest = this.#next();
    if (rest) throw new SqlError(`did not expect "${rest.text}"`);
    return {
      ...{ columns, from, groupBy, orderBy, offset, format },
      ...(where && { where }),
      ...(having && { having }),
      ...(limit !== undefined && { limit }),
    };
  }

  #expression(level = 0): Expression {
    const operators = OPERATORS[level];
    if (!operators) return this.#primary();
    // Between AND and the comparisons.
    if (operators.length === 0)
      return this.#take("NOT") ? call("not", this.#expression(level)) : this.#expression(level + 1);
    let left = this.#expression(level + 1);
    for (;;) {
      const operator = operators.find((sign) => this.#take(sign));
      if (operator !== undefined) left = call(operator.toLowerCase(), left, this.#expression(level + 1));
      else if (operators.includes("=") && this.#isNext("NOT", "IN", "LIKE", "BETWEEN"))
        left = this.#test(left, level);
      else return left;
    }
  }

  /** `x [NOT] IN (…)`, `x [NOT] LIKE '…'` and `x [NOT] BETWEEN a AND b`. */
  #test(left: Expression, level: number): Expression {
    const not = this.#take("NOT");
    const made = this.#take("IN")
      ? call("in", left, this.#primary(true))
      : this.#take("LIKE")
        ? call("like", left, this.#expression(level + 1))
        : this.#between(left, level);
    return not ? call("not", made) : made;
  }

  #between(left: Expression, level: number): Expression {
    this.#expect("BETWEEN");
    const low = call(">=", left, this.#expression(level + 1));
    this.#expect("AND");
    return call("and", low, call("<=", left, this.#expression(level + 1)));
  }

  #primary(list = false): Expression {
    const token = this.#next();
    if (!token) throw new SqlError("the query ends too early");
    this.#at += 1;
    if (token.type === "number") return { kind: "number", value: Number(token.text) };
    if (token.type === "string") return { kind: "string", value: unquote(token.text) };
    if (token.type === "quoted") return { kind: "column", name: token.text.slice(1, -1) };
    if (token.text === "*") return { kind: "star" };
    if (token.text === "-") return call("-", { kind: "number", value: 0 }, this.#primary());
    if (token.text === "(") {
      const items = this.#list(() => this.#expression());
      this.#expect(")");
      const [only] = items;
      return only && items.length === 1 && !list ? only : { kind: "list", items };
    }
    if (token.type !== "word" || RESERVED.has(token.text.toUpperCase()))
      throw new SqlError(`did not expect "${token.text}"`);
    if (token.text.toUpperCase() === "INTERVAL") return this.#interval();
    if (!this.#take("(")) return { kind: "column", name: token.text };
    const distinct = this.#take("DISTINCT");
    const args = this.#isNext(")") ? [] : this.#list(() => this.#expression());
    this.#expect(")");
    return { kind: "call", name: token.text, args, distinct };
  }

  #interval(): Expression {
    const token = this.#next();
    this.#at += 1;
    const count = Number(token?.type === "string" ? unquote(token.text) : Number.NaN);
    const unit = this.#name().toUpperCase();
    const seconds = UNITS[unit];
    if (!Number.isFinite(count) || seconds === undefined)
      throw new SqlError(
        `an interval is written as INTERVAL '1' DAY, not INTERVAL ${token?.text ?? ""} ${unit}`,
      );
    return { kind: "interval", seconds: count * seconds };
  }

  #by<T>(item: () => T): T[] {
    this.#expect("BY");
    return this.#list(item);
  }

  #list<T>(item: () => T): T[] {
    const items = [item()];
    while (this.#take(",")) items.push(item());
    return items;
  }

  #name(): string {
    const token = this.#next();
    if (token?.type === "quoted") return this.#skip(token.text.slice(1, -1));
    if (token?.type === "word" && !RESERVED.has(token.text.toUpperCase())) return this.#skip(token.text);
    throw new SqlError(`expected a name, found "${token?.text ?? "the end"}"`);
  }

  #whole(): number {
    const token = this.#next();
    if (token?.type === "number" && /^\d+$/.test(token.text)) return Number(this.#skip(token.text));
    throw new SqlError(`expected a whole number, found "${token?.text ?? "the end"}"`);
  }

  #skip(text: string): string {
    this.#at += 1;
    return text;
  }

  #next(): Token | undefined {
    return this.#tokens[this.#at];
  }

  #isNext(...words: string[]): boolean {
    const token = this.#next();
    const plain = token?.type === "word" || token?.type === "sign";
    return plain && words.includes(token.text.toUpperCase());
  }

  #take(word: string): boolean {
    const there = this.#isNext(word);
    if (there) this.#at += 1;
    return there;
  }

  #expect(word: string): void {
    if (!this.#take(word)) throw new SqlError(`expected ${word}, found "${this.#next()?.text ?? "the end"}"`);
  }
}

function call(name: string, ...args: Expression[]): Expression {
  return { kind: "call", name, args, distinct: false };
}

function unquote(text: string): string {
  return text
    .slice(1, -1)
    .replaceAll("''", "'")
    .replace(/\\(.)/g, (_, sign: string) => ({ n: "\n", t: "\t" })[sign] ?? sign);
}
