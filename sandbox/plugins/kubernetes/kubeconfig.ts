import { existsSync, readFileSync } from "node:fs";
import { homedir } from "node:os";
import { delimiter, dirname, join, resolve } from "node:path";
import { parse } from "yaml";

/** How to reach one cluster. */
export interface Connection {
  /** Of the API server, without a slash at its end. */
  server: string;
  /** Where objects without a namespace go. */
  namespace: string;
  ca?: string | undefined;
  certificate?: string | undefined;
  key?: string | undefined;
  insecure: boolean;
  serverName?: string | undefined;
  /** The value of the `Authorization` header, if there is one. */
  authorization?: string | undefined;
}

interface Overrides {
  context?: string | undefined;
  cluster?: string | undefined;
  namespace?: string | undefined;
}

interface Named {
  name?: unknown;
  [key: string]: unknown;
}

/** What of a kubeconfig file counts here, with relative paths made absolute. */
export interface Kubeconfig {
  "current-context"?: unknown;
  clusters: Map<string, Record<string, unknown>>;
  contexts: Map<string, Record<string, unknown>>;
  users: Map<string, Record<string, unknown>>;
}

/** Reads a kubeconfig given by its path or its contents. */
export function readKubeconfig(pathOrContents: string): Kubeconfig {
  const path = pathOrContents.replace(/^~(?=\/|$)/, homedir());
  return existsSync(path)
    ? toKubeconfig(readFileSync(path, "utf8"), dirname(resolve(path)))
    : toKubeconfig(pathOrContents, process.cwd());
}

/** Reads what the environment names: the files in `KUBECONFIG`, the first that says something wins, or the default file. */
export function ambientKubeconfig(): Kubeconfig {
  const paths = (process.env.KUBECONFIG ?? "").split(delimiter).filter((path) => path !== "");
  if (paths.length === 0) paths.push(join(homedir(), ".kube/config"));
  const merged: Kubeconfig = { clusters: new Map(), contexts: new Map(), users: new Map() };
  for (const path of paths.filter((path) => existsSync(path))) {
    const config = readKubeconfig(path);
    merged["current-context"] ??= config["current-context"];
    for (const part of ["clusters", "contexts", "users"] as const) {
      for (const [name, value] of config[part]) if (!merged[part].has(name)) merged[part].set(name, value);
    }
  }
  return merged;
}

/** @throws Error that says what the kubeconfig lacks, and never what secret it holds. */
export function connect(config: Kubeconfig, overrides: Overrides): Connection {
  const contextName = overrides.context ?? asText(config["current-context"]) ?? "";
  const context = config.contexts.get(contextName);
  if (!context && contextName !== "") throw new Error(`context "${contextName}" does not exist`);
  const clusterName = overrides.cluster ?? asText(context?.cluster) ?? "";
  const cluster = config.clusters.get(clusterName);
  const server = asText(cluster?.server);
  if (!cluster || server === undefined) {
    throw new Error("invalid configuration: no configuration has been provided");
  }
  const user = config.users.get(asText(context?.user) ?? "") ?? {};
  for (const method of ["exec", "auth-provider"]) {
    if (method in user) throw new Error(`the sandbox's stand-in cannot log in by a kubeconfig's "${method}"`);
  }
  return {
    server: server.replace(/\/+$/, ""),
    namespace: overrides.namespace ?? asText(context?.namespace) ?? "default",
    ca: material(cluster, "certificate-authority"),
    certificate: material(user, "client-certificate"),
    key: material(user, "client-key"),
    insecure: cluster["insecure-skip-tls-verify"] === true,
    serverName: asText(cluster["tls-server-name"]),
    authorization: authorization(user),
  };
}

/** The cluster that is spoken to, as the kubeconfig describes it: what the identity of a provider depends on. */
export function activeCluster(config: Kubeconfig, overrides: Overrides): Record<string, unknown> | undefined {
  const context = config.contexts.get(overrides.context ?? asText(config["current-context"]) ?? "");
  return context && config.clusters.get(overrides.cluster ?? asText(context.cluster) ?? "");
}

function toKubeconfig(contents: string, folder: string): Kubeconfig {
  const config: unknown = parse(contents);
  if (typeof config !== "object" || config === null) {
    throw new Error("couldn't get version/kind; json parse error: it is neither a path nor a kubeconfig");
  }
  const part = (key: string, inner: string): Map<string, Record<string, unknown>> => {
    const items = (config as Record<string, unknown>)[key];
    const named = Array.isArray(items) ? (items as Named[]) : [];
    return new Map(named.map((item) => [String(item.name), absolute(item[inner], folder)]));
  };
  return {
    "current-context": (config as Record<string, unknown>)["current-context"],
    clusters: part("clusters", "cluster"),
    contexts: part("contexts", "context"),
    users: part("users", "user"),
  };
}

function absolute(entry: unknown, folder: string): Record<string, unknown> {
  const copy: Record<string, unknown> = typeof entry === "object" && entry !== null ? { ...entry } : {};
  for (const key of ["certificate-authority", "client-certificate", "client-key", "tokenFile"]) {
    const path = copy[key];
    if (typeof path === "string") copy[key] = resolve(folder, path);
  }
  return copy;
}

function material(entry: Record<string, unknown>, key: string): string | undefined {
  const data = asText(entry[`${key}-data`]);
  if (data !== undefined) return Buffer.from(data, "base64").toString();
  const path = asText(entry[key]);
  return path === undefined ? undefined : readFileSync(path, "utf8");
}

function authorization(user: Record<string, unknown>): string | undefined {
  const file = asText(user.tokenFile);
  const token = file === undefined ? asText(user.token) : readFileSync(file, "utf8").trim();
  if (token !== undefined) return `Bearer ${token}`;
  const name = asText(user.username);
  return name === undefined
    ? undefined
    : `Basic ${Buffer.from(`${name}:${asText(user.password) ?? ""}`).toString("base64")}`;
}

function asText(value: unknown): string | undefined {
  return typeof value === "string" && value !== "" ? value : undefined;
}
