import { spawn } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { closeSandbox, openSandbox } from "../engine/sandbox.ts";
import { ROOT, stackFolder, TEST_STACK } from "../paths.ts";
import type { Progress } from "../support/progress.ts";
import { UserError } from "../support/user-error.ts";
import { provideTools } from "../toolchain/index.ts";

/** Suites, each in a process of its own: mocks are global to a process, and so is a running engine. */
const SUITES = ["unit", "contract", "edge", "engine"] as const;

interface Counts {
  passes: number;
  failures: number;
  pending: number;
}

/**
 * `npm test [-- SUITE... MOCHA-OPTIONS...]`: brings a sandbox of its own up, runs the suites in it, and ends
 * with one line that counts them all.
 */
export async function test(args: readonly string[], progress: Progress): Promise<void> {
  const chosen = args.filter((arg) => (SUITES as readonly string[]).includes(arg));
  const options = args.filter((arg) => !chosen.includes(arg));
  const suites = chosen.length === 0 ? SUITES : chosen;
  const total: Counts = { passes: 0, failures: 0, pending: 0 };
  const folder = stackFolder(TEST_STACK);
  let broken = false;
  try {
    // Where there is no S3 server to be had, the tests that want one say so and are skipped.
    if (suites.some((suite) => suite === "contract" || suite === "edge"))
      await provideTools(["versitygw"], progress).catch(() => undefined);
    if (suites.includes("engine")) await openSandbox(folder, progress, { programs: true });
    for (const suite of suites) {
      const counts = await mocha(suite, options);
      broken ||= counts === undefined;
      total.passes += counts?.passes ?? 0;
      total.failures += counts?.failures ?? 1;
      total.pending += counts?.pending ?? 0;
    }
  } finally {
    await closeSandbox(folder);
  }
  const skipped = total.pending > 0 ? `, ${total.pending} skipped` : "";
  console.log(`${total.passes} passed, ${total.failures} failed${skipped}`);
  if (broken) throw new UserError("A suite ended before its tests did: see above.");
  process.exitCode = total.failures > 0 ? 1 : 0;
}

/** The counts of one suite, or undefined where mocha ended without any. */
async function mocha(suite: string, options: readonly string[]): Promise<Counts | undefined> {
  const scratch = await mkdtemp(join(tmpdir(), "attic-stack-test-"));
  const counts = join(scratch, "counts.json");
  try {
    const child = spawn(
      process.execPath,
      [
        join(ROOT, "node_modules/mocha/bin/mocha.js"),
        "--reporter",
        join(ROOT, "test/support/reporter.ts"),
        "--spec",
        `test/${suite}/**/*.test.ts`,
        ...options,
      ],
      {
        cwd: ROOT,
        stdio: ["ignore", "inherit", "inherit"],
        // What `npm run contract` is told by this is no business of the tests, which start their own servers.
        env: { ...process.env, ATTIC_SERVER_URL: "", ATTIC_ADMIN_TOKEN: "", TEST_COUNTS: counts },
      },
    );
    await new Promise((resolve, reject) => child.on("exit", resolve).on("error", reject));
    return JSON.parse(await readFile(counts, "utf8")) as Counts;
  } catch {
    return undefined;
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}
