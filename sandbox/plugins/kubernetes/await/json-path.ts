import { equal, isObject, type Value } from "../../../../provider/protocol/values.ts";

type Step = (values: Value[]) => Value[];

/** A condition such as `jsonpath={.status.phase}=Running`. */
export interface PathCondition {
  /** As it was written, for messages. */
  title: string;
  matches(object: Value): boolean;
}

/**
 * Reads such a condition: names, `["names"]`, `[0]`, `[*]` and filters by one equality, which is what
 * conditions of Kubernetes objects need.
 *
 * @throws Error that says what of it cannot be read.
 */
export function parsePathCondition(expression: string): PathCondition {
  const raw = expression.replace(/^jsonpath=/, "");
  const parts = raw.replaceAll("==", "\u0000").split("=");
  const restore = (part: string | undefined): string => (part ?? "").replaceAll("\u0000", "==");
  if (parts.length > 2) throw new Error(`format should be {.path}=value or {.path}, got "${raw}"`);
  const path = restore(parts[0]);
  const wanted = parts.length === 2 ? restore(parts[1]) : undefined;
  if (wanted === "") throw new Error(`${path}= requires a value`);
  if (/^'.*'$/.test(path)) throw new Error(`${path} should omit shell quotes`);
  const inner = /\{\s*(.*?)\s*\}/.exec(path)?.[1];
  if (inner === undefined) throw new Error(`${path} should be wrapped in brackets { ... }`);
  const steps = parseSteps(inner.replace(/^\$/, ""), path);
  return {
    title: raw,
    matches: (object) => {
      const [found] = apply(steps, object);
      if (found === undefined) return false;
      if (wanted === undefined) return true;
      if (typeof found === "object" && found !== null) {
        throw new Error(`"${path}" has a non-primitive value`);
      }
      return String(found) === wanted;
    },
  };
}

const SYNTAX: readonly [RegExp, (match: RegExpExecArray) => Step][] = [
  [/^\.([\w-]+)/, ([, name = ""]) => member(name)],
  [/^\[\s*(?:'([^']*)'|"([^"]*)")\s*\]/, ([, single, double]) => member(single ?? double ?? "")],
  [
    /^\[\s*(-?\d+)\s*\]/,
    ([, index]) =>
      (values) =>
        values.flatMap((value) => (Array.isArray(value) ? value.slice(Number(index)).slice(0, 1) : [])),
  ],
  [/^(?:\[\s*\*\s*\]|\.\*)/, () => (values) => values.flatMap(children)],
  [
    /^\[\s*\?\(?\s*@((?:\.[\w-]+)+)\s*==\s*(?:'([^']*)'|"([^"]*)"|([\w.-]+))\s*\)?\s*\]/,
    ([, names = "", single, double, literal]) => {
      const wanted: Value = single ?? double ?? (JSON.parse(literal ?? "null") as Value);
      const steps = names.slice(1).split(".").map(member);
      return (values) => values.flatMap(children).filter((item) => equal(apply(steps, item), [wanted]));
    },
  ],
];

function parseSteps(text: string, path: string): Step[] {
  const steps: Step[] = [];
  let rest = text;
  while (rest !== "") {
    const here = rest;
    const found = SYNTAX.map(([syntax, make]) => ({ match: syntax.exec(here), make })).find(
      ({ match }) => match,
    );
    if (!found?.match) throw new Error(`parsing "${path}": the sandbox's stand-in cannot read "${rest}"`);
    steps.push(found.make(found.match));
    rest = rest.slice(found.match[0].length);
  }
  return steps;
}

function apply(steps: readonly Step[], object: Value): Value[] {
  return steps.reduce<Value[]>((values, step) => step(values), [object]);
}

function member(name: string): Step {
  return (values) =>
    values.flatMap((value) => (isObject(value) && Object.hasOwn(value, name) ? [value[name] ?? null] : []));
}

function children(value: Value): Value[] {
  if (Array.isArray(value)) return value;
  return isObject(value) ? Object.values(value) : [];
}
