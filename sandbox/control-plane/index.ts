import { createHash } from "node:crypto";
import { mkdir, realpath, rm } from "node:fs/promises";
import { join } from "node:path";
import {
  DaemonError,
  findDaemon,
  startDaemon,
  stopDaemons,
  untilReady,
  type Daemon,
  type DaemonSpec,
} from "../support/daemon.ts";
import { readIfThere, writeFileAtomically } from "../support/files.ts";
import { withLock } from "../support/lock.ts";
import type { Progress, Say } from "../support/progress.ts";
import type { Manifests } from "../toolchain/index.ts";
import { Api } from "./api.ts";
import { applyContent, applyDefinitions, isUsable } from "./content.ts";
import { certificateOf, kubeconfig, provideIdentity, type Identity, type User } from "./identity.ts";
import {
  apiServer,
  controllerManager,
  etcd,
  kubeconfigFile,
  kwok,
  scheduler,
  type Ports,
  type Setup,
} from "./parts.ts";
import { providePorts } from "./ports.ts";

/** How long the API server may take to be ready on a busy machine, in milliseconds. */
const PATIENCE = 90_000;
/** How often a start is tried again where somebody takes a port between our choice and its use. */
const ATTEMPTS = 3;

/** A running Kubernetes API. */
export interface ControlPlane {
  /** Path of the administrator's kubeconfig. */
  kubeconfig: string;
  /** Such as "https://127.0.0.1:6443". */
  server: string;
}

export interface ControlPlaneOptions {
  /** Holds data, secrets, logs and process ids. */
  folder: string;
  tools: Setup["tools"];
  manifests: Manifests;
  progress: Progress;
}

/**
 * Starts etcd, the Kubernetes API server, its controller manager and scheduler, and kwok, which plays the
 * nodes; or finds them running, or starts those of them that do not run. They go on when this process ends.
 * It returns when pods can be deployed.
 *
 * @throws UserError where a port that was asked for is taken.
 */
export async function startControlPlane(options: ControlPlaneOptions): Promise<ControlPlane> {
  const { progress, tools, manifests } = options;
  const folder = await theFolder(options.folder);
  return (
    (await findRunning(folder, await fingerprint(options))) ??
    (await progress.task("Kubernetes", async (say) => {
      const waiting = (pid: number) => {
        say(`waiting for process ${pid}, which is starting it`);
      };
      return await withLock(`${folder} control plane`, waiting, async () => {
        const print = await fingerprint(options);
        const running = await findRunning(folder, print);
        if (running) return running;
        const identity = await provideIdentity(folder);
        const setup = { folder, tools, identity, stages: manifests.kwokStages };
        const started = await startWithPorts(setup, manifests, say);
        await writeFileAtomically(join(folder, "ready.json"), JSON.stringify({ print, ...started }), 0o644);
        return started;
      });
    }))
  );
}

/**
 * Ends every process of the control plane in a folder, also those of a start that was killed. Its data stays:
 * the next start goes on with the same state.
 *
 * @returns how many processes there were.
 */
export async function stopControlPlane(folder: string): Promise<number> {
  const absolute = await theFolder(folder);
  return await withLock(
    `${absolute} control plane`,
    () => undefined,
    async () => {
      // etcd last: the API server would wait for it.
      const first = await stopDaemons(absolute, [...CLIENTS, "kube-apiserver"]);
      return first + (await stopDaemons(absolute));
    },
  );
}

/** The one name of a folder: its processes are known by it, so that it must not depend on how one came there. */
async function theFolder(folder: string): Promise<string> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  return await realpath(folder);
}

/** Those that talk to the API server. */
const CLIENTS = ["kube-controller-manager", "kube-scheduler", "kwok"];
const DAEMONS = ["etcd", "kube-apiserver", ...CLIENTS];

/** The name of a program of a control plane that does not run, if there is one. */
export async function findEnded(folder: string): Promise<string | undefined> {
  const absolute = await theFolder(folder);
  const pids = await Promise.all(DAEMONS.map((name) => findDaemon(absolute, name)));
  return DAEMONS.find((_, index) => pids[index] === undefined);
}

/** What a cluster is made of: where this changes, a running one is brought up to date. */
async function fingerprint({ tools, manifests }: ControlPlaneOptions): Promise<string> {
  const stages = await Promise.all(manifests.kwokStages.map((file) => readIfThere(file)));
  const parts = [tools, manifests, stages, process.env.SANDBOX_KUBERNETES_PORT ?? ""];
  return createHash("sha256").update(JSON.stringify(parts)).digest("hex");
}

/** The control plane, if all of it runs, is of the right make, and its API server answers. */
async function findRunning(folder: string, print: string): Promise<ControlPlane | undefined> {
  const noted = await readIfThere(join(folder, "ready.json"));
  if (noted === undefined) return undefined;
  const { print: before, ...running } = JSON.parse(noted) as ControlPlane & { print: string };
  if (before !== print) return undefined;
  const pids = await Promise.all(DAEMONS.map((name) => findDaemon(folder, name)));
  if (pids.includes(undefined)) return undefined;
  const api = await connect(await provideIdentity(folder), running.server);
  try {
    await api?.call("GET", "/readyz");
    return api && running;
  } catch {
    return undefined;
  } finally {
    api?.close();
  }
}

async function startWithPorts(
  setup: Omit<Setup, "ports">,
  manifests: Manifests,
  say: Say,
): Promise<ControlPlane> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await start({ ...setup, ports: await providePorts(setup.folder) }, manifests, say);
    } catch (error) {
      const portLost = error instanceof DaemonError && error.message.includes("address already in use");
      if (!portLost || attempt === ATTEMPTS) throw error;
    }
  }
}

async function start(setup: Setup, manifests: Manifests, say: Say): Promise<ControlPlane> {
  const { folder, identity, ports } = setup;
  say("starting etcd and the API server");
  const base = await startApiServer(setup);
  const certificate = await untilReady(base, () => certificateOf(identity), PATIENCE);
  const address = addressOf(ports);
  for (const user of Object.keys(identity.tokens) as User[]) {
    const text = kubeconfig(address, certificate, user, identity.tokens[user]);
    await writeIfOther(kubeconfigFile(folder, user), text);
  }
  const api = new Api(address, certificate, identity.tokens.admin);
  try {
    const clients = [await startDaemon(controllerManager(setup)), await startDaemon(scheduler(setup))];
    await untilReady(base, () => api.call("GET", "/readyz"), PATIENCE);
    say("adding custom resource definitions");
    await applyDefinitions(api, manifests.crds);
    await applyContent(api);
    // kwok looks once, when it starts, for the kinds that its stages name.
    const player = await startKwok(setup);
    say("waiting for its nodes");
    await untilReady([player, ...clients, ...base], () => isUsable(api), PATIENCE);
  } finally {
    api.close();
  }
  return { kubeconfig: kubeconfigFile(folder, "admin"), server: address };
}

/**
 * Where etcd or the API server had to be started, what runs above it is ended, to be started again: clients
 * that lost their server come back when it suits them, some after many seconds, and kwok not always.
 */
async function startApiServer(setup: Setup): Promise<[Daemon, Daemon]> {
  const { folder, identity } = setup;
  const spec = apiServer(setup);
  const store = await startDaemon(etcd(setup));
  if (!store.reused) await stopDaemons(folder, [spec.name]);
  if ((await certificateOf(identity)) === undefined) {
    // The server makes a new one when it starts, and only then.
    await stopDaemons(folder, [spec.name]);
    await rm(identity.certificates, { recursive: true, force: true });
  }
  const server = await startDaemon(spec);
  if (!server.reused) await stopDaemons(folder, CLIENTS);
  return [server, store];
}

async function startKwok(setup: Setup): Promise<Daemon> {
  const spec: DaemonSpec = kwok(setup);
  const stages = await Promise.all(setup.stages.map((file) => readIfThere(file)));
  const digest = createHash("sha256").update(JSON.stringify(stages)).digest("hex");
  // kwok reads its stages once, so it has to start again where they have changed.
  const path = join(setup.folder, "kwok.stages");
  if ((await readIfThere(path)) !== digest) await stopDaemons(setup.folder, [spec.name]);
  const daemon = await startDaemon(spec);
  await writeFileAtomically(path, digest, 0o644);
  return daemon;
}

async function writeIfOther(path: string, text: string): Promise<void> {
  if ((await readIfThere(path)) !== text) await writeFileAtomically(path, text);
}

async function connect(identity: Identity, server: string): Promise<Api | undefined> {
  const certificate = await certificateOf(identity);
  return certificate === undefined ? undefined : new Api(server, certificate, identity.tokens.admin);
}

function addressOf(ports: Ports): string {
  return `https://127.0.0.1:${ports.kubernetes}`;
}
