import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import type { Api, Manifest } from "./api.ts";

/** How often we look whether something has come about, in milliseconds. */
const STEP = 25;
const DEFINITIONS = "customresourcedefinitions";
const PATH = `/apis/apiextensions.k8s.io/v1/${DEFINITIONS}`;
/** The annotation by which we see whether a definition in the cluster is the one that we have. */
const DIGEST = "attic-stack.invalid/sha256";

/** Two zones, so that spreading over zones can be seen. What a node has is plenty, and not endless. */
const nodes = ["a", "b"].map((zone, index) => ({
  apiVersion: "v1",
  kind: "Node",
  metadata: {
    name: `sandbox-${zone}`,
    labels: {
      "kubernetes.io/arch": "amd64",
      "kubernetes.io/hostname": `sandbox-${zone}`,
      "kubernetes.io/os": "linux",
      "node.kubernetes.io/instance-type": "sandbox",
      "topology.kubernetes.io/region": "sandbox",
      "topology.kubernetes.io/zone": `sandbox-${zone}`,
    },
  },
  spec: { podCIDR: `10.244.${index}.0/24`, podCIDRs: [`10.244.${index}.0/24`] },
  status: {
    allocatable: { cpu: "16", memory: "64Gi", pods: "110", "ephemeral-storage": "500Gi" },
    capacity: { cpu: "16", memory: "64Gi", pods: "110", "ephemeral-storage": "500Gi" },
  },
}));

/** What somebody who runs a cluster has set up in it before a stack comes: where volumes and gateways come from. */
const classes: readonly { plural: string; manifest: Manifest & Record<string, unknown> }[] = [
  {
    plural: "storageclasses",
    manifest: {
      apiVersion: "storage.k8s.io/v1",
      kind: "StorageClass",
      metadata: {
        name: "standard",
        ...{ annotations: { "storageclass.kubernetes.io/is-default-class": "true" } },
      },
      // Played by kwok: stages/volumes.yaml.
      provisioner: "attic-stack.invalid/volumes",
      reclaimPolicy: "Delete",
      volumeBindingMode: "Immediate",
      allowVolumeExpansion: true,
    },
  },
  ...Object.entries({ nginx: "k8s.io/ingress-nginx", traefik: "traefik.io/ingress-controller" }).map(
    ([name, controller]) => ({
      plural: "ingressclasses",
      manifest: {
        apiVersion: "networking.k8s.io/v1",
        kind: "IngressClass",
        metadata: { name },
        spec: { controller },
      },
    }),
  ),
  ...["eg", "traefik"].map((name) => ({
    plural: "gatewayclasses",
    manifest: {
      apiVersion: "gateway.networking.k8s.io/v1",
      kind: "GatewayClass",
      metadata: { name },
      spec: { controllerName: "attic-stack.invalid/gateway" },
    },
  })),
];

/** Puts the custom resource definitions into the cluster, and returns once the server serves them. */
export async function applyDefinitions(api: Api, files: readonly string[]): Promise<void> {
  const wanted = await Promise.all(files.map(readDefinition));
  const there = new Map((await listDefinitions(api)).map(({ metadata }) => [metadata.name, metadata]));
  await Promise.all(
    wanted.map(async (manifest) => {
      const { name, annotations } = manifest.metadata;
      const before = there.get(name);
      // To create one costs the server half of what it costs to apply it, and there are many.
      if (!before) await api.call("POST", PATH, JSON.stringify(manifest));
      else if (before.annotations?.[DIGEST] !== annotations[DIGEST]) await api.apply(manifest, DEFINITIONS);
    }),
  );
  const missing = new Set(wanted.map(({ metadata }) => metadata.name));
  while (missing.size > 0) {
    for (const { metadata, status } of await listDefinitions(api)) {
      const established = status?.conditions?.some((c) => c.type === "Established" && c.status === "True");
      if (established) missing.delete(metadata.name);
    }
    if (missing.size > 0) await sleep(STEP);
  }
}

interface Definition extends Manifest {
  metadata: { name: string; annotations: Record<string, string> };
}

async function readDefinition(file: string): Promise<Definition> {
  const text = await readFile(file, "utf8");
  const manifest = JSON.parse(text) as Definition;
  manifest.metadata.annotations = {
    ...manifest.metadata.annotations,
    [DIGEST]: createHash("sha256").update(text).digest("hex"),
  };
  return manifest;
}

interface DefinitionList {
  items: {
    metadata: { name: string; annotations?: Record<string, string> };
    status?: { conditions?: { type: string; status: string }[] };
  }[];
}

async function listDefinitions(api: Api): Promise<DefinitionList["items"]> {
  return (JSON.parse(await api.call("GET", PATH)) as DefinitionList).items;
}

/** Puts the nodes and classes into the cluster; the definitions have to be there. */
export async function applyContent(api: Api): Promise<void> {
  await Promise.all([
    ...nodes.map((node) => createNode(api, node)),
    ...classes.map(({ manifest, plural }) => api.apply(manifest, plural)),
  ]);
}

/** A node is created and not applied: its status, too, counts only then, and afterwards it is kwok's. */
async function createNode(api: Api, node: Manifest): Promise<void> {
  await api.call("POST", "/api/v1/nodes", JSON.stringify(node)).catch((error: unknown) => {
    if (!(error instanceof Error && "status" in error && error.status === 409)) throw error;
  });
}

/** Gives true once pods can be created and are scheduled: there are ready nodes and a default account. */
export async function isUsable(api: Api): Promise<true | undefined> {
  await api.call("GET", "/api/v1/namespaces/default/serviceaccounts/default");
  const { items } = JSON.parse(await api.call("GET", "/api/v1/nodes")) as NodeList;
  const ready = items.filter(
    ({ spec, status }) =>
      // The taint goes a moment after the node is ready.
      !spec.taints?.length && status.conditions?.some((c) => c.type === "Ready" && c.status === "True"),
  );
  return ready.length >= nodes.length ? true : undefined;
}

interface NodeList {
  items: {
    spec: { taints?: unknown[] };
    status: { conditions?: { type: string; status: string }[] };
  }[];
}
