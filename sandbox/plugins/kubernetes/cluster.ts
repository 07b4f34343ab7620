import type { Engine } from "../../../provider/protocol/engine.ts";
import { Api } from "./api.ts";
import { Discovery } from "./discovery.ts";
import type { Mutability } from "./force-new.ts";
import { ambientKubeconfig, connect, readKubeconfig } from "./kubeconfig.ts";

/** Everything that the operations of one configured provider share. */
export interface Cluster {
  engine: Engine;
  api: Api;
  discovery: Discovery;
  /** Where objects go that say no namespace. */
  namespace: string;
  mutable: Mutability;
  /** Overwrites fields that somebody else manages. */
  patchForce: boolean;
  /** Creating what exists changes it, where that is asked for. */
  upsert: boolean;
  deleteUnreachable: boolean;
  skipUpdateUnreachable: boolean;
  /** Why the cluster cannot be reached; "" where it can. */
  unreachable: string;
  /** Called off by the engine. */
  cancelled: AbortSignal;
}

const UNSUPPORTED = ["renderYamlToDirectory", "enableServerSideApply"] as const;

/**
 * Reads the provider's settings, each from its configuration or the environment variable that the official
 * plugin reads, and tries the connection. A cluster that cannot be reached is no error yet: a preview goes on.
 */
export async function openCluster(
  variables: ReadonlyMap<string, string>,
  engine: Engine,
  version: string,
  cancelled: AbortSignal,
): Promise<Cluster> {
  const variable = (key: string): string | undefined => {
    const value = variables.get(`kubernetes:config:${key}`);
    return value === "" ? undefined : value;
  };
  const flag = (key: string, environment: string): boolean =>
    (variables.get(`kubernetes:config:${key}`) ?? process.env[environment]) === "true";
  for (const key of UNSUPPORTED) {
    const value = variable(key);
    if (value !== undefined && value !== "true" && key === "enableServerSideApply") throw unsupported(key);
    if (value !== undefined && key === "renderYamlToDirectory") throw unsupported(key);
  }

  const cluster: Cluster = {
    engine,
    // Replaced below by the real ones; every operation looks at `unreachable` first.
    ...offline(version),
    mutable: {
      configMaps: flag("enableConfigMapMutable", "PULUMI_K8S_ENABLE_CONFIGMAP_MUTABLE"),
      secrets: flag("enableSecretMutable", "PULUMI_K8S_ENABLE_SECRET_MUTABLE"),
    },
    patchForce: flag("enablePatchForce", "PULUMI_K8S_ENABLE_PATCH_FORCE"),
    upsert: flag("upsertExistingObjects", "PULUMI_K8S_UPSERT_EXISTING_OBJECTS"),
    deleteUnreachable: flag("deleteUnreachable", "PULUMI_K8S_DELETE_UNREACHABLE"),
    skipUpdateUnreachable: flag("skipUpdateUnreachable", "PULUMI_K8S_SKIP_UPDATE_UNREACHABLE"),
    unreachable: "",
    namespace: variable("namespace") ?? "default",
    cancelled,
  };

  const given = variable("kubeconfig");
  let config;
  try {
    config = given === undefined ? ambientKubeconfig() : readKubeconfig(given);
  } catch (error) {
    cluster.unreachable = `failed to parse kubeconfig data in \`kubernetes:config:kubeconfig\`- ${message(error)}`;
    return cluster;
  }
  try {
    const connection = connect(config, {
      context: variable("context"),
      cluster: variable("cluster"),
      namespace: variable("namespace"),
    });
    cluster.namespace = connection.namespace;
    cluster.api = new Api(connection, version);
    cluster.discovery = new Discovery(cluster.api);
  } catch (error) {
    cluster.unreachable =
      "unable to load Kubernetes client configuration from kubeconfig file. Make sure you have: \n\n" +
      " \t • set up the provider as per " +
      `https://www.pulumi.com/registry/packages/kubernetes/installation-configuration/ \n\n ${message(error)}`;
    return cluster;
  }
  try {
    await cluster.api.get("/version");
  } catch (error) {
    cluster.unreachable = `unable to load schema information from the API server: ${message(error)}`;
  }
  return cluster;
}

function offline(version: string): Pick<Cluster, "api" | "discovery"> {
  const api = new Api({ server: "http://127.0.0.1:0", namespace: "default", insecure: false }, version);
  return { api, discovery: new Discovery(api) };
}

function unsupported(key: string): Error {
  return new Error(`the sandbox's stand-in for pulumi-resource-kubernetes does not know the setting ${key}`);
}

/** What an error says, whatever was thrown. */
export function message(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
