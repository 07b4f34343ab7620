import { field, list, number, text, type KubeObject } from "../object.ts";
import { parsePathCondition } from "./json-path.ts";
import type { Readiness } from "./readiness.ts";

type Test = (object: KubeObject) => boolean;

/**
 * The readiness that the annotation `pulumi.com/waitFor` asks for: all of its expressions, each
 * `condition=Type`, `condition=Type=Status` or `jsonpath={...}=value`.
 */
export function customReadiness(expressions: readonly string[]): Readiness {
  if (expressions.length === 0) throw new Error("at least one condition must be specified");
  const tests = expressions.map((expression) => ({ expression, test: parse(expression) }));
  return {
    onRead: false,
    check: (object, { say }) => {
      const open = tests.find(({ test }) => !test(object));
      if (open) say("info", `Waiting for ${open.expression.replace(/^(jsonpath|condition)=/, "")}`);
      return { ready: open === undefined };
    },
  };
}

function parse(expression: string): Test {
  if (expression.startsWith("jsonpath=")) {
    const condition = parsePathCondition(expression);
    return (object) => isCurrent(object, object.status ?? {}) && condition.matches(object);
  }
  if (!expression.startsWith("condition=")) {
    throw new Error(`expected a "jsonpath=" or "condition=" prefix, got "${expression}"`);
  }
  const [type = "", status = "True"] = expression.slice("condition=".length).split(/=(.*)/s);
  return (object) => {
    const condition = list(object, "status", "conditions").find((item) => same(text(item, "type"), type));
    if (condition === undefined) return false;
    const speaks = field(condition, "observedGeneration") === undefined ? (object.status ?? {}) : condition;
    return isCurrent(object, speaks) && same(text(condition, "status"), status);
  };
}

/** Whether a part of the status speaks of the object as it is, and not of an older generation. */
function isCurrent(object: KubeObject, speaks: KubeObject[string]): boolean {
  if (field(speaks, "observedGeneration") === undefined) return true;
  return number(speaks, "observedGeneration") >= number(object, "metadata", "generation");
}

function same(a: string, b: string): boolean {
  return a.toLowerCase() === b.toLowerCase();
}
