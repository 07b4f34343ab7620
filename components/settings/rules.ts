import { connectionBudget, RESERVED } from "./budget.ts";
import { cacheRules } from "./cache-rules.ts";
import { edgeRules } from "./edge-rules.ts";
import { bytes, cores, type Resources } from "./leaf.ts";
import { shown } from "./mistakes.ts";
import type { Rule } from "./rule.ts";
import { tokenRules } from "./token-rules.ts";

const secretsFor = {
  databaseUrl: "database",
  storageAccessKeyId: "storage",
  storageSecretAccessKey: "storage",
} as const;

/** A secret is there exactly where its section has the kind `existing`. */
const secretsFit: Rule = (settings, given) =>
  (Object.keys(secretsFor) as (keyof typeof secretsFor)[]).flatMap((name) => {
    const section = settings[secretsFor[name]];
    if (section === undefined || (section.kind === "existing") === given.has(name)) return [];
    return section.kind === "existing"
      ? [
          {
            key: name,
            found: "nothing",
            allowed: `a secret, because ${secretsFor[name]}.kind is existing: pulumi config set --secret ${name}`,
          },
        ]
      : [
          {
            key: name,
            found: "a secret",
            allowed: `nothing, because ${secretsFor[name]}.kind is ${section.kind} and would not use it`,
          },
        ];
  });

const volumeHasOneServer: Rule = ({ storage, server }) =>
  storage?.kind === "volume" && server !== undefined && server.replicas > 1
    ? [
        {
          key: "server.replicas",
          found: String(server.replicas),
          allowed:
            "1, because storage.kind is volume and one volume serves one server; choose garage, minio or existing for more",
        },
      ]
    : [];

const storeHasHost: Rule = ({ storage, gateway }) => {
  if (storage?.kind !== "garage" && storage?.kind !== "minio") return [];
  const { clients, host } = storage;
  if (clients === "direct" && host === undefined)
    return [
      {
        key: "storage.host",
        found: "nothing",
        allowed:
          "a host name, because Attic redirects clients to presigned URLs on it; or storage.clients: edge where clients only ever pull from the edge",
      },
    ];
  if (clients === "edge" && host !== undefined)
    return [{ key: "storage.host", found: host, allowed: "nothing, because storage.clients is edge" }];
  if (host !== undefined && host === gateway?.host)
    return [{ key: "storage.host", found: host, allowed: "another name than gateway.host" }];
  return [];
};

const chunksAreOrdered: Rule = ({ server }) => {
  if (server === undefined) return [];
  const { minSize, avgSize, maxSize } = server.chunking;
  return minSize <= avgSize && avgSize <= maxSize
    ? []
    : [
        {
          key: "server.chunking",
          found: `minSize ${minSize}, avgSize ${avgSize}, maxSize ${maxSize}`,
          allowed: "minSize at most avgSize, and avgSize at most maxSize",
        },
      ];
};

const LEVELS = { zstd: [1, 22], brotli: [0, 11], xz: [0, 9] } as const;

const levelFits: Rule = ({ server }) => {
  const { type, level } = server?.compression ?? {};
  if (type === undefined || level === undefined) return [];
  if (type === "none")
    return [
      { key: "server.compression.level", found: String(level), allowed: "nothing, because the type is none" },
    ];
  const [min, max] = LEVELS[type];
  return level >= min && level <= max
    ? []
    : [
        {
          key: "server.compression.level",
          found: String(level),
          allowed: `a whole number from ${min} to ${max} for ${type}`,
        },
      ];
};

const connectionsSuffice: Rule = ({ database, server }) => {
  if (database?.maxConnections === undefined || server === undefined) return [];
  const needed = connectionBudget(server.replicas) + (database.kind === "postgres" ? RESERVED : 0);
  return database.maxConnections >= needed
    ? []
    : [
        {
          key: "database.maxConnections",
          found: String(database.maxConnections),
          allowed: `at least ${needed}: 20 for each of the ${server.replicas} API servers, since old and new ones overlap while they are rolled, and 10 each for the collector, migrations and spare${database.kind === "postgres" ? `, ${RESERVED} that PostgreSQL keeps` : ""}`,
        },
      ];
};

const gatewayHasItsParts: Rule = ({ gateway }) => {
  if (gateway?.kind !== "gateway-api") return [];
  const { className, parent, tls } = gateway;
  if ((className === undefined) === (parent === undefined))
    return [
      {
        key: "gateway",
        found: className === undefined ? "neither className nor parent" : "both className and parent",
        allowed: "className for a Gateway that the stack makes, or parent for one that exists",
      },
    ];
  if (parent !== undefined && tls !== undefined)
    return [
      {
        key: "gateway.tls",
        found: `an object of kind ${tls.kind}`,
        allowed: "nothing, because the Gateway named in gateway.parent ends TLS itself",
      },
    ];
  if (parent === undefined && tls === undefined)
    return [
      { key: "gateway.tls", found: "nothing", allowed: "an object whose kind is cert-manager or secret" },
    ];
  return [];
};

/** Kubernetes refuses a pod that asks for more than it may use, and says so only once it is to be made. */
const requestsFitLimits: Rule = ({ server, database, storage, edge }) => {
  const all: [string, Resources | undefined][] = [
    ["server.resources", server?.resources],
    ["server.garbageCollection.resources", server?.garbageCollection.resources],
    ["database.resources", database?.kind === "postgres" ? database.resources : undefined],
    ["storage.resources", storage && "resources" in storage ? storage.resources : undefined],
    ["edge.mirror.resources", edge?.mirror.resources],
  ];
  return all.flatMap(([where, resources]) => {
    if (resources === undefined) return [];
    const { cpu, cpuLimit, memory, memoryLimit } = resources;
    const over = (key: string, found: string, limit: string) => ({
      key: `${where}.${key}`,
      found,
      allowed: `at most ${limit}, which is ${where}.${key}Limit`,
    });
    return [
      ...(cpuLimit !== undefined && cores(cpu) > cores(cpuLimit) ? [over("cpu", cpu, cpuLimit)] : []),
      ...(bytes(memory) > bytes(memoryLimit) ? [over("memory", memory, memoryLimit)] : []),
    ];
  });
};

/**
 * The image of 17 and before keeps its data below the mount of the volume, in a volume of its own that goes with
 * the pod; the one on Alpine has other numbers for its user.
 */
const imageKeepsData: Rule = ({ database }) => {
  if (database?.kind !== "postgres") return [];
  const tag = database.image.split("/").at(-1)?.split("@")[0]?.split(":")[1] ?? "";
  const major = Number(/^(\d+)/.exec(tag)?.[1] ?? 18);
  return major >= 18 && !tag.includes("alpine")
    ? []
    : [
        {
          key: "database.image",
          found: shown(database.image),
          allowed:
            "the official image of PostgreSQL 18 or later on Debian: earlier ones would lose their data with the pod",
        },
      ];
};

/** What a single key cannot know: rules between keys. */
export const rules: readonly Rule[] = [
  secretsFit,
  volumeHasOneServer,
  storeHasHost,
  chunksAreOrdered,
  levelFits,
  connectionsSuffice,
  gatewayHasItsParts,
  requestsFitLimits,
  imageKeepsData,
  ...cacheRules,
  ...tokenRules,
  ...edgeRules,
];
