import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { ROOT } from "../paths.ts";
import type { Progress } from "../support/progress.ts";
import { UserError } from "../support/user-error.ts";

const CHECKS: readonly (readonly [what: string, program: string, ...args: string[]])[] = [
  ["Types", "typescript/bin/tsc", "--noEmit"],
  ["Types of the policy pack", "typescript/bin/tsc", "--noEmit", "-p", "policy"],
  ["Lint", "eslint/bin/eslint.js", "."],
  ["Format", "prettier/bin/prettier.cjs", "--check", "--log-level=warn", "."],
];

/** `npm run check`: types, lint and format. All are run, whatever the first ones say. */
export function check(progress: Progress): void {
  const failed = CHECKS.filter(([what, program, ...args]) => {
    progress.line(`  … ${what}`);
    const { status } = spawnSync(process.execPath, [join(ROOT, "node_modules", program), ...args], {
      cwd: ROOT,
      stdio: ["ignore", "inherit", "inherit"],
    });
    return status !== 0;
  });
  if (failed.length > 0) {
    throw new UserError(`Not right yet: ${failed.map(([what]) => what).join(", ")}. See above.`);
  }
  progress.line("Types, lint and format are right.");
}
