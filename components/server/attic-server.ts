import k8s from "@pulumi/kubernetes";
import pulumi from "@pulumi/pulumi";
import { type Database, DATABASE_CA_FILE } from "../database/index.ts";
import type { Platform, Role } from "../platform/index.ts";
import type { ServerSettings } from "../settings/server.ts";
import type { Backend, ObjectStore } from "../storage/index.ts";
import { migrations } from "./migrations.ts";
import { type AtticPodArgs, SERVER_PORT } from "./pod.ts";
import { generateSigningKey, type SigningKey } from "./signing-key.ts";
import { serverSecret } from "./secret.ts";
import { serverToml } from "./toml.ts";
import { workloads } from "./workloads.ts";

const ROLE: Role = { name: "attic", component: "server" };
const SERVICE_PORT = 80;

export interface AtticServerArgs {
  platform: Platform;
  settings: ServerSettings;
  database: Database;
  store: ObjectStore;
  /** The public host name, under which clients know the server. */
  host: string;
}

/** Attic: its key, its configuration, the migrations, the API servers and the one garbage collector. */
export class AtticServer extends pulumi.ComponentResource {
  /** Name of the Service in the stack's namespace. */
  readonly service: pulumi.Output<string>;
  /** Port of the Service: HTTP. */
  readonly port = SERVICE_PORT;
  readonly signingKey: SigningKey;
  /** What the gateway publishes. */
  readonly backend: Backend;
  /** What has to be there before the first request: the one resource, whose name each that waits keeps in its state. */
  readonly ready: pulumi.Resource;

  constructor(name: string, args: AtticServerArgs, opts?: pulumi.ComponentResourceOptions) {
    super("attic-stack:server:AtticServer", name, {}, opts);
    const { platform, settings, database, store, host } = args;
    const parent = { parent: this };
    const pods = platform.selector(ROLE);
    const s3 = store.type === "s3" ? store : undefined;

    this.signingKey = generateSigningKey(`${name}-signing-key`, settings.signingAlgorithm, {
      parent: this,
      protect: platform.protectData,
    });

    const configMap = (part: string, data: Record<string, pulumi.Input<string>>) =>
      new k8s.core.v1.ConfigMap(`${name}-${part}`, { metadata: platform.unnamed(ROLE), data }, parent)
        .metadata.name;
    const pod: AtticPodArgs = {
      settings,
      probeHost: host,
      ...(s3 && { s3: { region: s3.region, customEndpoint: s3.endpoint !== undefined } }),
      secret: serverSecret(
        `${name}-environment`,
        { platform, role: ROLE, database, store, signingKey: this.signingKey },
        this,
      ),
      configMap: configMap("config", {
        "server.toml": serverToml({
          settings,
          store,
          apiEndpoint: `https://${host}/`,
          allowedHosts: [host, ...settings.additionalHosts, ...serviceHosts(name, platform.namespaceName)],
        }),
      }),
      ...(database.caBundle && {
        databaseCa: configMap("database-ca", { [DATABASE_CA_FILE]: database.caBundle }),
      }),
      ...(s3?.caBundle !== undefined && { storeCa: configMap("store-ca", { "ca.crt": s3.caBundle }) }),
      ...(store.type === "local" && { claim: store.claim }),
    };

    const migrated = migrations(
      `${name}-migrations`,
      { platform, pod, clientLabels: database.clientLabels },
      { parent: this, dependsOn: [database.ready] },
    );
    const service = new k8s.core.v1.Service(
      name,
      {
        metadata: platform.named(name, ROLE),
        spec: {
          selector: pods,
          ports: [{ name: "http", port: SERVICE_PORT, targetPort: "http", appProtocol: "http" }],
        },
      },
      parent,
    );
    this.ready = workloads(name, {
      platform,
      role: ROLE,
      pod,
      clientLabels: { ...database.clientLabels, ...store.clientLabels },
      parent: this,
      dependsOn: [migrated, store.ready],
    });

    this.service = service.metadata.name;
    this.backend = {
      name: "api",
      host,
      service: this.service,
      port: SERVICE_PORT,
      pods,
      podPort: SERVER_PORT,
    };
    this.registerOutputs({ service: this.service, port: this.port });
  }
}

/** The names of a Service inside the cluster, as they stand in a Host header (port 80 is left out of one). */
function serviceHosts(service: string, namespace: string): string[] {
  const short = `${service}.${namespace}`;
  return [service, short, `${short}.svc`, `${short}.svc.cluster.local`];
}
