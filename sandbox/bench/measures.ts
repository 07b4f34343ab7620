import { type CachesBench, cachesBench } from "./caches.ts";
import type { Progress } from "../support/progress.ts";
import { type Measure, pairedRatio } from "./measure.ts";
import { previewBench, type PreviewBench } from "./preview.ts";
import { cachedStart, coldStart } from "./start.ts";

/** How many pairs a ratio is the median of. */
const PAIRS = 7;
/** The same where one side takes many seconds. */
const LONG_PAIRS = 3;
/** How many caches there are, and how many tokens. */
const CACHES = 200;

/**
 * Everything that `npm run bench` measures. What several rows need is made once, when the first asks for it.
 *
 * @param closing gets what has to be done at the end.
 */
export function measures(progress: Progress, closing: (() => Promise<void>)[]): readonly Measure[] {
  let made: Promise<PreviewBench> | undefined;
  const previews = () => (made ??= previewBench(progress));
  let filled: Promise<CachesBench> | undefined;
  const caches = () => (filled ??= cachesBench(progress, CACHES, closing));
  return [
    {
      name: "preview-ratio",
      unit: "×",
      limit: 1.25,
      about: `no-change preview of the lab stack by the plain CLI, against a bare program with the same Kubernetes resources in one loop, which keeps no compile cache; median of ${PAIRS} pairs`,
      run: async () => {
        const { stack, bare } = await previews();
        return await pairedRatio(PAIRS, { run: stack }, { run: bare });
      },
    },
    {
      name: "program-memory",
      unit: "MB",
      limit: 350,
      about: "peak resident memory of the process that runs the lab stack's program",
      run: async () => (await (await previews()).program()).megabytes,
    },
    {
      name: "aws-modules",
      unit: "files",
      limit: 0,
      about: "files of @pulumi/aws that the lab stack's program loads",
      run: async () => (await (await previews()).program()).awsModules,
    },
    {
      name: "caches-first-up",
      unit: "×",
      limit: 1.25,
      about: `first up of ${CACHES} caches and ${CACHES} tokens, against ${2 * CACHES} dynamic resources that do nothing; median of ${LONG_PAIRS} pairs`,
      run: async () => {
        const { caches: made, nothing } = await caches();
        return await pairedRatio(LONG_PAIRS, made, nothing);
      },
    },
    {
      name: "cache-state",
      unit: "bytes",
      limit: 2560,
      about: "state of one cache",
      run: async () => await (await caches()).stateOfOne(),
    },
    {
      name: "provider-memory",
      unit: "MB",
      limit: 250,
      about: `peak resident memory of the provider's process in the first up of ${CACHES} caches and ${CACHES} tokens`,
      run: async () => await (await caches()).providerMemory(),
    },
    {
      name: "start-cached",
      unit: "s",
      limit: 25,
      about: "npm start in a new sandbox, programs and packages cached",
      run: cachedStart,
    },
    {
      name: "start-cold",
      unit: "s",
      limit: 600,
      about: "npm start of a copy of the project with every cache empty",
      onRequest: true,
      run: coldStart,
    },
  ];
}
