import manifest from "@pulumi/kubernetes/package.json" with { type: "json" };
import type { Provider } from "../../../provider/protocol/provider.ts";
import { serve } from "../../../provider/protocol/server.ts";
import { check } from "./check.ts";
import { openCluster, type Cluster } from "./cluster.ts";
import { diffConfig } from "./config.ts";
import { create } from "./create.ts";
import { remove } from "./delete.ts";
import { diff } from "./diff.ts";
import { read } from "./read.ts";
import { unplayed } from "../unplayed.ts";
import { update } from "./update.ts";

const version = manifest.version;
const cancel = new AbortController();
let configured: Cluster | undefined;

function cluster(): Cluster {
  if (!configured) throw new Error("the provider was not configured");
  return configured;
}

const provider: Provider = {
  name: "kubernetes",
  version,
  unknown: (what, token) => unplayed(what, token, "kubernetes"),
  diffConfig,
  configure: async (variables, engine) => {
    configured = await openCluster(variables, engine, version, cancel.signal);
  },
  check: (request) => check(cluster(), request),
  diff: (request) => diff(cluster(), request),
  create: (request) => create(cluster(), request),
  read: (request) => read(cluster(), request),
  update: (request) => update(cluster(), request),
  delete: (request) => remove(cluster(), request),
  cancel: () => {
    cancel.abort();
  },
};

serve(provider);
