import { readFileSync } from "node:fs";
import { declare, type Declared } from "./declared.ts";

/** The program of caches and tokens for the plain CLI, which calls what is exported. */
export default function program(): Record<string, unknown> {
  return declare(JSON.parse(readFileSync(process.env.CACHE_STACK_DECLARED ?? "", "utf8")) as Declared);
}
