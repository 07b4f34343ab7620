import { readdir, readFile, rm, symlink } from "node:fs/promises";
import { delimiter, dirname, join } from "node:path";
import { createRequire } from "node:module";
import pulumi from "@pulumi/pulumi";
import automation, { type PulumiFn, type Stack } from "@pulumi/pulumi/automation/index.js";
import * as yaml from "yaml";
import { AccessToken } from "../../components/attic/access-token.ts";
import { Cache } from "../../components/attic/cache.ts";
import { AtticProvider } from "../../components/attic/connection.ts";
import { startAttic, type TestAttic } from "../../test/support/attic-server.ts";
import { prepareAutomation } from "../engine/automation.ts";
import { openSandbox, type Sandbox } from "../engine/sandbox.ts";
import { ROOT, stackFolder } from "../paths.ts";
import { writeFileAtomically } from "../support/files.ts";
import type { Progress } from "../support/progress.ts";
import type { Side } from "./measure.ts";

/** Caches and tokens by the hundred, and as many dynamic resources that do nothing, each in a stack of its own. */
export interface CachesBench {
  /** The first `up` of as many caches as tokens, in an empty stack; the stack is emptied before, outside the time. */
  caches: Side;
  /** The same of as many dynamic resources as caches and tokens together. */
  nothing: Side;
  /** Bytes that the state has for one cache. */
  stateOfOne: () => Promise<number>;
  /** Peak resident memory of the provider's process in a first `up`, in MB. */
  providerMemory: () => Promise<number>;
}

/** @param count of caches, and of tokens. @param closing gets what has to be done at the end. */
export async function cachesBench(
  progress: Progress,
  count: number,
  closing: (() => Promise<void>)[],
): Promise<CachesBench> {
  const folder = stackFolder("bench");
  const sandbox = await openSandbox(folder, progress);
  prepareAutomation(sandbox);
  const attic = await startAttic();
  closing.push(() => attic.stop());
  const caches = await open(sandbox, "caches", cachesProgram(attic, count));
  const nothing = await open(sandbox, "nothing", nothingProgram(2 * count));
  return {
    caches: side(caches),
    nothing: side(nothing),
    stateOfOne: async () => {
      await caches.up();
      const state = (await caches.exportStack()) as { deployment: { resources: { type: string }[] } };
      const sizes = state.deployment.resources
        .filter(({ type }) => type === "attic:index:Cache")
        .map((resource) => JSON.stringify(resource, undefined, 4).length);
      return sizes.reduce((sum, size) => sum + size, 0) / sizes.length;
    },
    providerMemory: async () => {
      await caches.destroy();
      let peak = 0;
      const timer = setInterval(() => {
        void peakOfProvider().then((now) => (peak = Math.max(peak, now)));
      }, 100);
      try {
        await caches.up();
      } finally {
        clearInterval(timer);
      }
      return peak / 1000;
    },
  };
}

function side(stack: Stack): Side {
  return {
    before: async () => {
      await stack.destroy();
    },
    run: async () => {
      await stack.up();
    },
  };
}

async function open(sandbox: Sandbox, name: string, program: PulumiFn): Promise<Stack> {
  const folder = join(sandbox.folder, name);
  const project = {
    name,
    runtime: "nodejs",
    plugins: { providers: [{ name: "attic", path: join(ROOT, "provider/attic") }] },
  };
  await rm(folder, { recursive: true, force: true });
  await writeFileAtomically(join(folder, "Pulumi.yaml"), yaml.stringify(project));
  // Dynamic resources are made by a plugin that looks for the SDK from the project's folder.
  await symlink(join(ROOT, "node_modules"), join(folder, "node_modules"));
  const sdk = dirname(createRequire(import.meta.url).resolve("@pulumi/pulumi/package.json"));
  const make = () =>
    automation.LocalWorkspace.createOrSelectStack(
      { stackName: name, projectName: name, program },
      {
        workDir: folder,
        envVars: {
          ...sandbox.env,
          PATH: [sdk, sandbox.env.PATH].join(delimiter),
          PULUMI_IGNORE_AMBIENT_PLUGINS: "false",
        },
        pulumiHome: sandbox.env.PULUMI_HOME ?? "",
        secretsProvider: "passphrase",
      },
    );
  // What an earlier bench left is on a server that is no more.
  await (await make()).workspace.removeStack(name, { force: true });
  return await make();
}

function cachesProgram(attic: TestAttic, count: number): PulumiFn {
  return () => {
    const provider = new AtticProvider("attic-provider", {
      endpoint: attic.url,
      signingKey: { algorithm: attic.key.algorithm, secret: pulumi.secret(attic.key.secret) },
    });
    for (let index = 0; index < count; index += 1) {
      const cache = `team-${index}`;
      new Cache(
        `attic-cache-${cache}`,
        { name: cache, isPublic: true, retention: "90d" },
        { provider, protect: false },
      );
      const permissions = [{ cache, allow: ["pull" as const, "push" as const] }];
      new AccessToken(`attic-token-${cache}`, { subject: cache, permissions }, { provider });
    }
    return Promise.resolve();
  };
}

/** A provider that does nothing, as small as one can be. */
const NOTHING: pulumi.dynamic.ResourceProvider = {
  create: () => Promise.resolve({ id: "nothing", outs: {} }),
};

class Nothing extends pulumi.dynamic.Resource {
  constructor(name: string) {
    super(NOTHING, name, {});
  }
}

function nothingProgram(count: number): PulumiFn {
  return () => {
    for (let index = 0; index < count; index += 1) new Nothing(`nothing-${index}`);
    return Promise.resolve();
  };
}

/** In kB: the most that a running process of the provider had in memory so far. */
async function peakOfProvider(): Promise<number> {
  const pids = (await readdir("/proc")).filter((name) => /^[0-9]+$/.test(name));
  const peaks = await Promise.all(
    pids.map(async (pid) => {
      const file = (name: string) => readFile(`/proc/${pid}/${name}`, "utf8").catch(() => "");
      if (!(await file("cmdline")).includes("provider/attic/main.ts")) return 0;
      return Number(/VmHWM:\s+([0-9]+)/.exec(await file("status"))?.[1] ?? 0);
    }),
  );
  return Math.max(0, ...peaks);
}
