import { z } from "zod";
import type { CheckFailure } from "../protocol/provider.ts";
import {
  containsSecret,
  containsUnknown,
  type Properties,
  reveal,
  Secret,
  type Value,
} from "../protocol/values.ts";

/**
 * Checks a resource's inputs one by one and fills in what is not given. What a preview does not know yet is
 * left for the update. An input that holds a secret anywhere is one as a whole, and no value of it is quoted.
 *
 * @param secrets inputs that are secret, given as a secret or not.
 */
export function checkInputs(
  shape: Readonly<Record<string, z.ZodType>>,
  news: Properties,
  secrets: readonly string[] = [],
): { inputs: Properties; failures: CheckFailure[] } {
  const failures: CheckFailure[] = Object.keys(news)
    .filter((property) => !Object.hasOwn(shape, property))
    .map((property) => ({
      property,
      reason: `there is no input of this name; there are ${Object.keys(shape).join(", ")}`,
    }));
  const inputs: Properties = {};
  for (const [property, schema] of Object.entries(shape)) {
    const given = news[property];
    if (given !== undefined && containsUnknown(given)) {
      inputs[property] = given;
      continue;
    }
    const hidden = secrets.includes(property) || (given !== undefined && containsSecret(given));
    const result = schema.safeParse(given === undefined ? undefined : reveal(given));
    if (!result.success) {
      const reason = describe(result.error);
      // Of a property that is named the engine prints the value, and of a secret too.
      failures.push(hidden ? { property: "", reason: `${property}: ${reason}` } : { property, reason });
      continue;
    }
    const value = result.data as Value | undefined;
    if (value === undefined) continue;
    inputs[property] = hidden ? new Secret(value) : value;
  }
  return { inputs, failures };
}

function describe(error: z.ZodError): string {
  return error.issues
    .map(({ path, message }) => (path.length === 0 ? message : `${path.join(".")}: ${message}`))
    .join("; ");
}
