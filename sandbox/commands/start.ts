import type { OutputMap } from "@pulumi/pulumi/automation/index.js";
import { join, relative } from "node:path";
import atticStack from "../../index.ts";
import type { TokenKey } from "../../components/attic/token.ts";
import type { StackOutputs } from "../../components/outputs.ts";
import type { ServerSettings } from "../../components/settings/server.ts";
import { openSandbox, type Sandbox } from "../engine/sandbox.ts";
import { openStack } from "../engine/stack.ts";
import { PROJECT, readStackFile } from "../engine/stack-file.ts";
import { update } from "../engine/update.ts";
import { withCluster } from "../engine/with-cluster.ts";
import { ROOT, SANDBOX, stackFolder } from "../paths.ts";
import { awsEndpoint } from "../programs/outside-programs.ts";
import { placeOf } from "../programs/rewrite.ts";
import type { Status } from "../programs/status.ts";
import { untilAnswers } from "../programs/wait.ts";
import { type Plain, report } from "../report.ts";
import { writeFileAtomically } from "../support/files.ts";
import { withLock } from "../support/lock.ts";
import type { Progress } from "../support/progress.ts";
import { UserError } from "../support/user-error.ts";
import { bringToEdge } from "../welcome/edge.ts";
import { type CacheOutput, type Claims, type Welcome, welcome } from "../welcome/index.ts";

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
    const sandbox = await openSandbox(folder, progress, { programs: true });
    const opened = await progress.task("Pulumi stack", () =>
      openStack(sandbox, stack, () => Promise.resolve(atticStack()), config),
    );
    const updated = await withCluster(sandbox, () => update(opened, sandbox, progress));
    const answering = await withCluster(sandbox, () => untilAnswers(sandbox, progress));
    const outputs = await opened.outputs();
    const inside = addressesOf(outputs, answering);
    const { caches, reader } = await welcome(
      inside.attic,
      outputs.caches?.value as CacheOutput[],
      { key: keyOf(outputs), claims: claimsOf(config) },
      folder,
    );
    const edge = await withCluster(sandbox, () => edgeOf(sandbox, progress, { outputs, caches, reader }));
    const addresses = {
      stack,
      kubernetes: sandbox.controlPlane.kubeconfig,
      ...inside,
      ...(edge !== undefined && { edge }),
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
        caches,
        seconds: (performance.now() - began) / 1000,
        folder: folder.startsWith(ROOT) ? relative(ROOT, folder) : folder,
      }),
    );
  });
}

/** Brings the caches that a stack's edge serves there. @returns its address on this machine, where there is one. */
async function edgeOf(
  sandbox: Sandbox,
  progress: Progress,
  { outputs, caches, reader }: { outputs: OutputMap; caches: Welcome[]; reader: string },
): Promise<string | undefined> {
  const edge = outputs.edge?.value as Plain<StackOutputs["edge"]>;
  if (edge === undefined) return undefined;
  const served = caches.filter(({ name }) => edge.caches.includes(name));
  const namespace = outputs.namespace?.value as string;
  const url = await bringToEdge(sandbox, progress, { edge, namespace, caches: served, token: reader });
  for (const cache of served) cache.edge = `${url}/${cache.name}`;
  return url;
}

/** Where on this machine the parts of a stack answer. */
function addressesOf(
  outputs: OutputMap,
  answering: Status["addresses"],
): { attic: string; s3?: string; postgres?: string } {
  const output = <K extends keyof StackOutputs>(name: K) => outputs[name]?.value as Plain<StackOutputs[K]>;
  const at = (url: string | undefined) => {
    const place = url === undefined ? undefined : placeOf(url);
    return place && answering[`${place.host}:${place.port}`];
  };
  const { service, port } = outputs.server?.value as { service: string; port: number };
  const bucket = output("bucket");
  const s3 = at(bucket && (bucket.endpoint ?? awsEndpoint(bucket.region)));
  const postgres = at(output("databaseUrl"));
  const attic = at(`http://${service}.${output("namespace")}.svc:${port}`);
  if (attic === undefined)
    throw new UserError(`The Service ${service} leads to no server of Attic that the sandbox could run.`);
  return {
    attic: `http://${attic}/`,
    ...(s3 !== undefined && { s3: `http://${s3}` }),
    ...(postgres !== undefined && { postgres }),
  };
}

function keyOf(outputs: OutputMap): TokenKey {
  const { tokenAlgorithm, signingKey } = outputs;
  return { algorithm: tokenAlgorithm?.value as TokenKey["algorithm"], secret: signingKey?.value as string };
}

/** What the settings have the server ask of every token. */
function claimsOf(config: Readonly<Record<string, unknown>>): Claims {
  const { tokenIssuer: issuer, tokenAudiences: audiences } = (config[`${PROJECT}:server`] ??
    {}) as Partial<ServerSettings>;
  return { ...(issuer !== undefined && { issuer }), ...(audiences !== undefined && { audiences }) };
}

/** A file for `.`, by which a shell gets the engine, its plugins and the cluster of a sandbox. */
function environmentFile(env: Readonly<Record<string, string>>): string {
  const quote = (text: string) => `'${text.replaceAll("'", "'\\''")}'`;
  return Object.entries(env)
    .filter(([name]) => !name.startsWith("ATTIC_STACK_"))
    .map(([name, value]) => `export ${name}=${quote(value)}\n`)
    .join("");
}
