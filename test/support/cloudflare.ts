import { createHash } from "node:crypto";
import { mkdtempSync } from "node:fs";
import { rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { bundleWorker } from "../../components/edge/bundle.ts";
import type { EdgeConfig } from "../../components/edge/layout.ts";
import { COMPATIBILITY_DATE } from "../../components/edge/worker/compatibility.ts";
import { edgeAddresses, provideEdge, startEdge, stopEdge } from "../../sandbox/edge/index.ts";

const ACCOUNT = "0123456789abcdef0123456789abcdef";
const BUCKET = "edge";
const DATASET = "reads";

/** The sandbox's Cloudflare with a bucket for the edge, as a stack makes it but without one. */
export class TestCloudflare {
  readonly account = ACCOUNT;
  readonly bucket = BUCKET;
  readonly dataset = DATASET;
  /** Environment by which the mirror writes into the bucket, and asks what was read. */
  readonly env: Readonly<Record<string, string>>;
  readonly #folder: string;
  readonly #api: { url: string; token: string };

  private constructor(folder: string, api: { url: string; token: string }, env: Record<string, string>) {
    this.#folder = folder;
    this.#api = api;
    this.env = env;
  }

  static async start(): Promise<TestCloudflare> {
    const folder = mkdtempSync(join(tmpdir(), "attic-stack-cloudflare-"));
    const { CLOUDFLARE_BASE_URL: url = "", CLOUDFLARE_API_TOKEN: token = "" } = await provideEdge(folder);
    await startEdge(folder);
    const api = { url, token };
    const account = `/accounts/${ACCOUNT}`;
    await call(api, "POST", `${account}/r2/buckets`, { name: BUCKET });
    const groups = await call<{ id: string; name: string }[]>(
      api,
      "GET",
      `${account}/tokens/permission_groups`,
    );
    const make = async (permission: string, resource: string) =>
      await call<{ id: string; value: string }>(api, "POST", `${account}/tokens`, {
        name: permission,
        policies: [
          {
            effect: "allow",
            permission_groups: groups.filter(({ name }) => name === permission).map(({ id }) => ({ id })),
            resources: { [resource]: "*" },
          },
        ],
      });
    const writer = await make(
      "Workers R2 Storage Bucket Item Write",
      `com.cloudflare.edge.r2.bucket.${ACCOUNT}_default_${BUCKET}`,
    );
    const analyst = await make("Account Analytics Read", `com.cloudflare.api.account.${ACCOUNT}`);
    const { s3 = "" } = (await edgeAddresses(folder)) ?? {};
    return new TestCloudflare(folder, api, {
      S3_ENDPOINT: s3,
      S3_REGION: "auto",
      S3_BUCKET: BUCKET,
      AWS_ACCESS_KEY_ID: writer.id,
      AWS_SECRET_ACCESS_KEY: createHash("sha256").update(writer.value).digest("hex"),
      ANALYTICS_URL: url,
      ANALYTICS_ACCOUNT: ACCOUNT,
      ANALYTICS_TOKEN: analyst.value,
      ANALYTICS_DATASET: DATASET,
    });
  }

  /** Deploys the Worker. @returns its address, without a slash at the end. */
  async deploy(config: EdgeConfig): Promise<string> {
    const metadata = {
      main_module: "worker.js",
      compatibility_date: COMPATIBILITY_DATE,
      bindings: [
        { type: "r2_bucket", name: "BUCKET", bucket_name: BUCKET },
        { type: "json", name: "CONFIG", json: config },
        { type: "analytics_engine", name: "READS", dataset: DATASET },
      ],
    };
    const form = new FormData();
    form.set("metadata", new Blob([JSON.stringify(metadata)], { type: "application/json" }));
    const module = new Blob([await bundleWorker()], { type: "application/javascript+module" });
    form.set("worker.js", module, "worker.js");
    await call(this.#api, "PUT", `/accounts/${ACCOUNT}/workers/scripts/edge`, form);
    const worker = (await edgeAddresses(this.#folder))?.workers.find(({ name }) => name === "edge");
    if (worker === undefined) throw new Error("The Worker has no address.");
    return worker.url;
  }

  async stop(): Promise<void> {
    await stopEdge(this.#folder);
    await rm(this.#folder, { recursive: true, force: true });
  }
}

async function call<Result>(
  { url, token }: { url: string; token: string },
  method: string,
  path: string,
  body?: object,
): Promise<Result> {
  const isForm = body instanceof FormData;
  const response = await fetch(`${url}${path}`, {
    method,
    headers: {
      authorization: `Bearer ${token}`,
      ...(body && !isForm && { "content-type": "application/json" }),
    },
    ...(body && { body: isForm ? body : JSON.stringify(body) }),
  });
  const { success, errors, result } = (await response.json()) as {
    success: boolean;
    errors: unknown;
    result: Result;
  };
  if (!success) throw new Error(`${method} ${path}: ${response.status} ${JSON.stringify(errors)}`);
  return result;
}
