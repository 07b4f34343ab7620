import { cloudflare } from "./cloudflare.ts";
import pulumi from "@pulumi/pulumi";
import { bundleWorker } from "./bundle.ts";
import type { EdgeConfig } from "./layout.ts";
import { COMPATIBILITY_DATE } from "./worker/compatibility.ts";

const MAIN_MODULE = "worker.js";

export interface EdgeWorkerArgs {
  /** Identifier of the Cloudflare account. */
  account: string;
  /** Identifier of the zone that the host is in. */
  zone: string;
  host: string;
  /** The Worker's name in the account. */
  scriptName: string;
  bucketName: pulumi.Input<string>;
  /** What it serves, and how it checks tokens. Nothing in it is secret. */
  config: pulumi.Output<EdgeConfig>;
  /** The Analytics Engine's dataset in which it notes what is read; without it, it notes nothing. */
  dataset: string | undefined;
}

/** The Worker under its own host name. It may read the bucket, and has no way to write into anything else. */
export class EdgeWorker extends pulumi.ComponentResource {
  constructor(name: string, args: EdgeWorkerArgs, opts?: pulumi.ComponentResourceOptions) {
    super("attic-stack:edge:EdgeWorker", name, {}, opts);
    const { account: accountId, zone: zoneId, host, scriptName, bucketName, config, dataset } = args;
    const script = new (cloudflare().WorkersScript)(
      name,
      {
        accountId,
        scriptName,
        mainModule: MAIN_MODULE,
        content: pulumi.output(bundleWorker()),
        compatibilityDate: COMPATIBILITY_DATE,
        bindings: [
          { type: "r2_bucket", name: "BUCKET", bucketName },
          { type: "json", name: "CONFIG", json: config.apply((value) => JSON.stringify(value)) },
          ...(dataset === undefined ? [] : [{ type: "analytics_engine", name: "READS", dataset }]),
        ],
        observability: { enabled: true },
      },
      { parent: this },
    );
    new (cloudflare().WorkersCustomDomain)(
      `${name}-domain`,
      { accountId, zoneId, hostname: host, service: script.scriptName },
      { parent: this },
    );
    this.registerOutputs({});
  }
}
