import { dirname, join } from "node:path";

/** The project's own folder. */
export const ROOT = dirname(import.meta.dirname);

/** Where all sandboxes keep what they made; never committed. */
export const SANDBOX = join(ROOT, ".sandbox");

/** The folder of one stack's sandbox: a cluster, an engine's state and a work folder of its own. */
export function stackFolder(stack: string): string {
  return join(SANDBOX, stack);
}
