import type { Fields } from "../shape.ts";

const STRINGS = { list: "string" } as const;

/** Inputs of WorkersScript that the sandbox's Cloudflare has nothing for. */
export const UNPLAYED = ["assets", "exports", "files", "force", "migrations"];

/** The inputs of WorkersScript, by the SDK's types. */
export const SCRIPT_INPUTS: Fields = {
  accountId: "string!",
  scriptName: "string!",
  content: "string",
  contentFile: "string",
  contentSha256: "string",
  contentType: "string",
  mainModule: "string",
  bodyPart: "string",
  bindings: {
    list: {
      fields: {
        name: "string!",
        type: "string!",
        bucketName: "string",
        jurisdiction: "string",
        dataset: "string",
        text: "string",
        json: "string",
      },
    },
  },
  compatibilityDate: "string",
  compatibilityFlags: STRINGS,
  observability: {
    fields: {
      enabled: "boolean!",
      headSamplingRate: "number",
      issues: { fields: { enabled: "boolean" } },
      logs: {
        fields: {
          enabled: "boolean!",
          invocationLogs: "boolean!",
          destinations: STRINGS,
          headSamplingRate: "number",
          persist: "boolean",
        },
      },
      traces: {
        fields: {
          enabled: "boolean",
          destinations: STRINGS,
          headSamplingRate: "number",
          persist: "boolean",
          propagationPolicy: "string",
        },
      },
    },
  },
  annotations: { fields: { workersMessage: "string", workersTag: "string", workersTriggeredBy: "string" } },
  cacheOptions: { fields: { enabled: "boolean", crossVersionCache: "boolean" } },
  keepAssets: "boolean",
  keepBindings: STRINGS,
  limits: { fields: { cpuMs: "number", subrequests: "number" } },
  logpush: "boolean",
  packageDependencies: {
    list: { fields: { installedVersion: "string!", name: "string!", packageJsonVersion: "string!" } },
  },
  placement: {
    fields: {
      mode: "string",
      host: "string",
      hostname: "string",
      region: "string",
      lastAnalyzedAt: "string",
      status: "string",
      targets: { list: { fields: { host: "string", hostname: "string", region: "string" } } },
    },
  },
  tailConsumers: { list: { fields: { service: "string!", environment: "string", namespace: "string" } } },
  usageModel: "string",
};
