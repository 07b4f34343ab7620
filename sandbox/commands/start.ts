import { join, relative } from "node:path";
import atticStack from "../../index.ts";
import type { StackOutputs } from "../../components/outputs.ts";
import { openSandbox } from "../engine/sandbox.ts";
import { openStack } from "../engine/stack.ts";
import { readStackFile } from "../engine/stack-file.ts";
import { update } from "../engine/update.ts";
import { withCluster } from "../engine/with-cluster.ts";
import { ROOT, SANDBOX, stackFolder } from "../paths.ts";
import { report } from "../report.ts";
import { writeFileAtomically } from "../support/files.ts";
import { withLock } from "../support/lock.ts";
import type { Progress } from "../support/progress.ts";
import { UserError } from "../support/user-error.ts";

/** `npm start [-- STACK]`: brings the sandbox up, deploys the stack in it, and says what is there. */
export async function start(args: readonly string[], progress: Progress): Promise<void> {
  const [stack = "lab", ...more] = args;
  if (more.length > 0 || stack.startsWith("-"))
    throw new UserError("Use: npm start [-- STACK], by default lab.");
  const config = await readStackFile(stack);
  const folder = stackFolder(stack);
  const waiting = (pid: number) => {
    progress.line(`  … waiting for process ${pid}, which is starting ${stack} too`);
  };
  await withLock(`${folder} start`, waiting, async () => {
    const began = performance.now();
    const sandbox = await openSandbox(folder, progress);
    const opened = await progress.task("Pulumi stack", () =>
      openStack(sandbox, stack, () => Promise.resolve(atticStack()), config),
    );
    const updated = await withCluster(sandbox, () => update(opened, progress));
    const { apiEndpoint, bucket } = await opened.outputs();
    const addresses = {
      stack,
      kubernetes: sandbox.controlPlane.kubeconfig,
      attic: apiEndpoint?.value as string,
      s3: (bucket?.value as StackOutputs["bucket"])?.endpoint,
    };
    await writeFileAtomically(
      join(SANDBOX, "endpoints.json"),
      `${JSON.stringify(addresses, null, 2)}\n`,
      0o644,
    );
    await writeFileAtomically(join(folder, "env"), environmentFile(sandbox.env));
    console.log(
      await report({
        stack: opened,
        updated,
        addresses,
        seconds: (performance.now() - began) / 1000,
        folder: folder.startsWith(ROOT) ? relative(ROOT, folder) : folder,
      }),
    );
  });
}

/** A file for `.`, by which a shell gets the engine, its plugins and the cluster of a sandbox. */
function environmentFile(env: Readonly<Record<string, string>>): string {
  const quote = (text: string) => `'${text.replaceAll("'", "'\\''")}'`;
  return Object.entries(env)
    .filter(([name]) => !name.startsWith("ATTIC_STACK_"))
    .map(([name, value]) => `export ${name}=${quote(value)}\n`)
    .join("");
}
