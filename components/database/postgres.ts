import k8s from "@pulumi/kubernetes";
import pulumi from "@pulumi/pulumi";
import random from "@pulumi/random";
import { claim, fromPods, type Platform, type Role, single, toPods } from "../platform/index.ts";

import type { PostgresSettings } from "../settings/database.ts";
import { selfSigned } from "./certificate.ts";
import { type Database, DATABASE_CLIENT, withVerifiedTls } from "./database.ts";
import { HBA, POSTGRES_DATABASE, POSTGRES_PORT, POSTGRES_USER, postgresPod } from "./postgres-pod.ts";

const ROLE: Role = { name: "postgres", component: "database" };

export interface PostgresArgs {
  platform: Platform;
  settings: PostgresSettings;
  /** API servers that will connect, for the connection budget. */
  replicas: number;
}

/** PostgreSQL in the cluster: one server on one volume, reached by TLS that clients check in full. */
export class Postgres extends pulumi.ComponentResource implements Database {
  readonly url: pulumi.Output<string>;
  readonly caBundle: pulumi.Output<string>;
  readonly clientLabels = DATABASE_CLIENT;
  readonly ready: pulumi.Resource = this;

  constructor(name: string, args: PostgresArgs, opts?: pulumi.ComponentResourceOptions) {
    super("attic-stack:database:Postgres", name, {}, opts);
    const { platform, settings, replicas } = args;
    const parent = { parent: this };
    const host = `${name}.${platform.namespaceName}.svc`;
    const pods = platform.selector(ROLE);

    const password = new random.RandomPassword(
      `${name}-password`,
      { length: 32, special: false },
      // PostgreSQL keeps it with its data, so another one would not open them.
      { ...parent, protect: platform.protectData },
    );
    // localhost is for a person who forwards the port and checks the certificate all the same.
    const { certificate, privateKey } = selfSigned(
      `${name}-tls`,
      [host, `${host}.cluster.local`, name, "localhost"],
      this,
    );
    const passwordSecret = new k8s.core.v1.Secret(
      `${name}-password`,
      {
        metadata: platform.unnamed(ROLE),
        stringData: { username: POSTGRES_USER, password: password.result },
      },
      parent,
    );
    const tlsSecret = new k8s.core.v1.Secret(
      `${name}-tls`,
      {
        metadata: platform.unnamed(ROLE),
        type: "kubernetes.io/tls",
        stringData: { "tls.crt": certificate, "tls.key": privateKey },
      },
      parent,
    );
    const config = new k8s.core.v1.ConfigMap(
      `${name}-config`,
      { metadata: platform.unnamed(ROLE), data: { "pg_hba.conf": HBA } },
      parent,
    );
    const data = claim(`${name}-data`, platform, ROLE, settings, this);
    const service = new k8s.core.v1.Service(
      name,
      {
        metadata: platform.named(name, ROLE),
        spec: { selector: pods, ports: [{ name: "postgres", port: POSTGRES_PORT, targetPort: "postgres" }] },
      },
      parent,
    );
    platform.allow(
      name,
      pods,
      { ingress: [fromPods(this.clientLabels, POSTGRES_PORT)] },
      { role: ROLE, ...parent },
    );
    platform.allow(
      `${name}-clients`,
      this.clientLabels,
      { egress: [toPods(pods, POSTGRES_PORT)] },
      { role: ROLE, ...parent },
    );
    const pod = postgresPod({
      settings,
      replicas,
      claim: data.metadata.name,
      configMap: config.metadata.name,
      passwordSecret: passwordSecret.metadata.name,
      tlsSecret: tlsSecret.metadata.name,
    });
    single(
      name,
      { platform, role: { ...ROLE, image: settings.image }, pod, service: service.metadata.name },
      parent,
    );

    this.caBundle = certificate;
    this.url = password.result.apply((secret) =>
      withVerifiedTls(`postgres://${POSTGRES_USER}:${secret}@${host}:${POSTGRES_PORT}/${POSTGRES_DATABASE}`),
    );
    this.registerOutputs({ url: this.url, caBundle: this.caBundle });
  }
}
