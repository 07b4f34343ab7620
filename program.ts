import { enableCompileCache } from "node:module";
import { join } from "node:path";

/**
 * What the plain CLI runs. Everything else is loaded after this line, so that what Node makes of some thousand modules,
 * the SDK's among them, is kept for the next run: half a second of each preview.
 */
enableCompileCache(join(import.meta.dirname, "node_modules/.cache/attic-stack"));

const { default: atticStack } = await import("./index.ts");
export default atticStack;
