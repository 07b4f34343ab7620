import { createHash, randomBytes } from "node:crypto";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { S3Client } from "@aws-sdk/client-s3";
import { apiServer } from "../../../../sandbox/edge/api/server.ts";
import { hashOf } from "../../../../sandbox/edge/api/tokens.ts";
import { Edge } from "../../../../sandbox/edge/edge.ts";
import { portsOf } from "../../../../sandbox/edge/index.ts";

export const ACCOUNT = "0123456789abcdef0123456789abcdef";

/** What the API answers. */
export interface Answer {
  status: number;
  success: boolean;
  errors: { code: number; message: string }[];
  // Each test knows what it asks for.
  result: Record<string, never> & { id: string; value: string };
}

/** The sandbox's Cloudflare in this process, with real workerd, in a folder of its own. */
export class EdgeWorld {
  readonly edge: Edge;
  readonly folder: string;
  readonly #base: string;
  readonly #token: string;
  readonly #close: () => void;

  private constructor(edge: Edge, folder: string, base: string, token: string, close: () => void) {
    this.edge = edge;
    this.folder = folder;
    this.#base = base;
    this.#token = token;
    this.#close = close;
  }

  static async open(): Promise<EdgeWorld> {
    const folder = await mkdtemp(join(tmpdir(), "edge-"));
    const edge = await Edge.open(folder, await portsOf(folder));
    const token = randomBytes(20).toString("hex");
    const server = apiServer(edge, hashOf(token), () => undefined);
    await once(server.listen(0, "127.0.0.1"), "listening");
    const { port } = server.address() as AddressInfo;
    const base = `http://127.0.0.1:${port}/client/v4/`;
    return new EdgeWorld(edge, folder, base, token, () => {
      server.closeAllConnections();
      server.close();
    });
  }

  async close(): Promise<void> {
    this.#close();
    await this.edge.close();
    await rm(this.folder, { recursive: true, force: true });
  }

  get s3Url(): string {
    return `http://127.0.0.1:${this.edge.s3Port}`;
  }

  /** Calls the API; with an object as JSON. @param token of the sandbox's engine unless told. */
  async call(method: string, path: string, body?: unknown, token = this.#token): Promise<Answer> {
    const response = await this.fetch(method, path, body, { authorization: `Bearer ${token}` });
    return { status: response.status, ...((await response.json()) as Omit<Answer, "status">) };
  }

  async fetch(
    method: string,
    path: string,
    body?: unknown,
    headers: Record<string, string> = { authorization: `Bearer ${this.#token}` },
  ): Promise<Response> {
    const plain = body instanceof FormData || typeof body === "string";
    return await fetch(this.#base + path.replace(":account", ACCOUNT), {
      method,
      headers,
      ...(body !== undefined && { body: plain ? body : JSON.stringify(body) }),
    });
  }

  async bucket(name: string): Promise<void> {
    const { errors } = await this.call("POST", "accounts/:account/r2/buckets", { name });
    if (errors.length > 0) throw new Error(errors[0]?.message);
  }

  /** Makes a token. @param grants the names of permission groups, by the resource on which they are granted. */
  async token(grants: Record<string, string[]>, more: Record<string, unknown> = {}): Promise<Answer> {
    const { result } = await this.call("GET", "accounts/:account/tokens/permission_groups");
    const groups = result as unknown as { id: string; name: string }[];
    const policies = Object.entries(grants).map(([resource, names]) => ({
      effect: "allow",
      permission_groups: names.map((name) => ({ id: groups.find((group) => group.name === name)?.id })),
      resources: { [resource]: "*" },
    }));
    return await this.call("POST", "accounts/:account/tokens", { name: "test", policies, ...more });
  }

  /** A client of the S3 API with a token's keys. */
  s3({ id, value }: { id: string; value: string }): S3Client {
    const secretAccessKey = createHash("sha256").update(value).digest("hex");
    return new S3Client({
      region: "auto",
      endpoint: this.s3Url,
      forcePathStyle: true,
      maxAttempts: 1,
      // Workerd does not answer to it, and the SDK waits six seconds for that.
      expectContinueHeader: false,
      credentials: { accessKeyId: id, secretAccessKey },
    });
  }

  /** A client that may read and write a bucket, which is made. */
  async s3Of(name: string): Promise<S3Client> {
    await this.bucket(name);
    return this.s3(
      (await this.token({ [bucketResource(name)]: ["Workers R2 Storage Bucket Item Write"] })).result,
    );
  }

  /** Deploys a Worker of one module. */
  async deploy(name: string, code: string, metadata: Record<string, unknown> = {}): Promise<Answer> {
    const form = new FormData();
    const all = { main_module: "worker.js", compatibility_date: "2026-07-01", ...metadata };
    form.append("metadata", new Blob([JSON.stringify(all)], { type: "application/json" }));
    form.append("worker.js", new Blob([code], { type: "application/javascript+module" }), "worker.js");
    return await this.call("PUT", `accounts/:account/workers/scripts/${name}`, form);
  }

  workerUrl(name: string): string {
    return this.edge.workers().find((worker) => worker.name === name)?.url ?? "";
  }
}

export function bucketResource(name: string): string {
  return `com.cloudflare.edge.r2.bucket.${ACCOUNT}_default_${name}`;
}
