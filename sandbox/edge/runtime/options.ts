import { plain } from "../api/envelope.ts";
import type { ScriptState, State } from "../state.ts";
import { ANALYTICS_BINDING } from "./analytics-binding.ts";
import type { Worker } from "./miniflare.ts";
import { type Module, toModule } from "./modules.ts";

const HOST = "127.0.0.1";
const ANALYTICS = "analytics";
const COMPATIBILITY_DATE = "2026-07-01";

type Dataset = NonNullable<Worker["wrappedBindings"]>[string];

/** What is asked of the daemon from inside of workerd. */
export interface Services {
  /** The credentials of an access key id, or 404. */
  tokens: (request: Request) => Promise<Response>;
  /** Takes data points. */
  points: (request: Request) => Promise<Response>;
}

/** The S3 API, with a binding for each bucket that there is. */
export function s3Worker(state: State, port: number, contents: string, services: Services): Worker {
  const binding = ({ id }: { id: string }) => `R2_${id}`;
  return {
    name: "s3",
    compatibilityDate: COMPATIBILITY_DATE,
    modulesRoot: "/",
    modules: [{ type: "ESModule", path: "/s3.mjs", contents }],
    r2Buckets: Object.fromEntries(state.buckets.map((bucket) => [binding(bucket), bucket.id])),
    bindings: {
      BUCKETS: Object.fromEntries(
        state.buckets.map((bucket) => [`${bucket.account}/${bucket.name}`, binding(bucket)]),
      ),
    },
    serviceBindings: { TOKENS: services.tokens },
    unsafeDirectSockets: [{ host: HOST, port, entrypoint: "S3" }],
  };
}

/**
 * What hands on the data points that these Workers write: none where none of them does, for only as a part of another
 * Worker may it use what is workerd's own.
 */
export function analyticsWorkers(workers: readonly Worker[], services: Pick<Services, "points">): Worker[] {
  if (workers.every(({ wrappedBindings = {} }) => Object.keys(wrappedBindings).length === 0)) return [];
  return [
    {
      name: ANALYTICS,
      modulesRoot: "/",
      modules: [{ type: "ESModule", path: "/analytics.mjs", contents: ANALYTICS_BINDING }],
      serviceBindings: { POINTS: services.points },
    },
  ];
}

/** A deployed Worker: what it runs and what it is bound to. */
export async function deployedWorker(
  script: ScriptState,
  state: State,
  readFile: (file: string) => Promise<Buffer>,
): Promise<Worker> {
  const modules = await Promise.all(
    script.modules.map(async ({ name, type, file }): Promise<Module> =>
      toModule(name, type, await readFile(file)),
    ),
  );
  const bucketOf = (name: string) =>
    state.buckets.find((bucket) => bucket.account === script.account && bucket.name === name)?.id;
  const of = (...types: string[]) => script.bindings.filter(({ type }) => types.includes(type));
  const buckets = of("r2_bucket").flatMap(({ name, bucket_name: bucket }) => {
    const id = bucketOf(plain(bucket));
    return id === undefined ? [] : [[name, id] as const];
  });
  const datasets = of("analytics_engine").map(({ name, dataset }) => [
    name,
    { scriptName: ANALYTICS, bindings: { account: script.account, dataset: plain(dataset) } },
  ]);
  const values = [
    ...of("plain_text", "secret_text").map(({ name, text }) => [name, text]),
    ...of("json").map(({ name, json }) => [name, json]),
  ];
  return {
    name: workerName(script),
    compatibilityDate: script.compatibilityDate,
    compatibilityFlags: script.compatibilityFlags,
    ...(script.isModule ? { modulesRoot: "/", modules } : { script: modules[0]?.contents.toString() ?? "" }),
    r2Buckets: Object.fromEntries(buckets),
    bindings: Object.fromEntries(values) as Record<string, unknown>,
    wrappedBindings: Object.fromEntries(datasets) as Record<string, Dataset>,
  };
}

/** Lets a Worker answer at a port of its own. */
export function at(port: number, worker: Worker): Worker {
  return { ...worker, unsafeDirectSockets: [{ host: HOST, port }] };
}

export function workerName({ account, name }: Pick<ScriptState, "account" | "name">): string {
  return `${account}:${name}`;
}
