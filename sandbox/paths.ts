import { dirname, join, resolve } from "node:path";

/** The project's own folder. */
export const ROOT = dirname(import.meta.dirname);

const { ATTIC_STACK_SANDBOX: elsewhere = "" } = process.env;

/** Where all sandboxes keep what they made; never committed. A variable puts it elsewhere. */
export const SANDBOX = elsewhere === "" ? join(ROOT, ".sandbox") : resolve(elsewhere);

/** The sandbox of the tests, which nobody else uses. */
export const TEST_STACK = "test";

/** The folder of one stack's sandbox: a cluster, an engine's state and a work folder of its own. */
export function stackFolder(stack: string): string {
  return join(SANDBOX, stack);
}
