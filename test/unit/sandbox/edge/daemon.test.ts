import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { mkdtemp, readFile, rm, stat } from "node:fs/promises";
import { createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { GetObjectCommand, PutObjectCommand, S3Client } from "@aws-sdk/client-s3";
import {
  edgeAddresses,
  edgeFolder,
  findEdge,
  provideEdge,
  startEdge,
  stopEdge,
} from "../../../../sandbox/edge/index.ts";
import { findProcesses } from "../../../../sandbox/support/daemon.ts";
import { ACCOUNT, bucketResource } from "./edge-world.ts";

const WORKER = `export default { async fetch(request, env) { return new Response((await env.B.get("a")).body) } }`;
const ITEM_WRITE = "2efd5506f9c8494dacb1fa10a3e7d5b6";

describe("the daemon that plays Cloudflare", function () {
  this.timeout(120_000);
  let sandbox: string;

  beforeEach(async () => {
    sandbox = await mkdtemp(join(tmpdir(), "edge-daemon-"));
  });
  afterEach(async () => {
    await stopEdge(sandbox);
    await rm(sandbox, { recursive: true, force: true });
  });

  async function call(method: string, path: string, body?: unknown): Promise<{ id: string; value: string }> {
    const env = await provideEdge(sandbox);
    const response = await fetch(`${env.CLOUDFLARE_BASE_URL}/accounts/${ACCOUNT}/${path}`, {
      method,
      headers: { authorization: `Bearer ${env.CLOUDFLARE_API_TOKEN}` },
      ...(body !== undefined && { body: body instanceof FormData ? body : JSON.stringify(body) }),
    });
    const { errors, result } = (await response.json()) as {
      errors: unknown[];
      result: { id: string; value: string };
    };
    assert.deepEqual(errors, []);
    return result;
  }

  /** A bucket, its keys and a Worker that gives what is in it. */
  async function deploy(): Promise<S3Client> {
    await call("POST", "r2/buckets", { name: "nix" });
    const { id, value } = await call("POST", "tokens", {
      name: "mirror",
      policies: [
        {
          effect: "allow",
          permission_groups: [{ id: ITEM_WRITE }],
          resources: { [bucketResource("nix")]: "*" },
        },
      ],
    });
    const form = new FormData();
    const bindings = [{ type: "r2_bucket", name: "B", bucket_name: "nix" }];
    form.append("metadata", JSON.stringify({ main_module: "w.js", bindings }));
    form.append("w.js", new Blob([WORKER], { type: "application/javascript+module" }), "w.js");
    await call("PUT", "workers/scripts/edge", form);
    const secretAccessKey = createHash("sha256").update(value).digest("hex");
    const { s3 } = (await edgeAddresses(sandbox))!;
    const credentials = { accessKeyId: id, secretAccessKey };
    return new S3Client({ region: "auto", endpoint: s3, forcePathStyle: true, credentials });
  }

  const asked = async () => await (await fetch((await edgeAddresses(sandbox))!.workers[0]!.url)).text();

  it("does not run before it is needed, and is found at the address that was told before", async () => {
    const env = await provideEdge(sandbox);
    assert.equal(await findEdge(sandbox), undefined);
    assert.equal(await edgeAddresses(sandbox), undefined);
    await startEdge(sandbox);
    assert.equal((await edgeAddresses(sandbox))?.api, env.CLOUDFLARE_BASE_URL);
    const { reused } = await startEdge(sandbox);
    assert.equal(reused, true);
    assert.deepEqual(await provideEdge(sandbox), env);
    assert.ok((await stopEdge(sandbox)) >= 2);
    assert.deepEqual(await provideEdge(sandbox), env);
    assert.equal(await findEdge(sandbox), undefined);
  });

  it("keeps bucket, keys and Worker over kills, and is there again where something is deployed", async () => {
    await startEdge(sandbox);
    const s3 = await deploy();
    await s3.send(new PutObjectCommand({ Bucket: "nix", Key: "a", Body: "kept" }));
    const before = await edgeAddresses(sandbox);
    for (let kill = 0; kill < 3; kill++) {
      const pid = (await findEdge(sandbox))!;
      process.kill(pid, "SIGKILL");
      await sleep(50);
      await provideEdge(sandbox);
      assert.notEqual(await findEdge(sandbox), pid);
      assert.deepEqual(await edgeAddresses(sandbox), before);
      assert.equal(await asked(), "kept");
    }
    const { Body } = await s3.send(new GetObjectCommand({ Bucket: "nix", Key: "a" }));
    assert.equal(await Body?.transformToString(), "kept");
    // No workerd of a daemon that is gone goes on.
    const running = await findProcesses(edgeFolder(sandbox));
    assert.equal(running.length, 2);
  });

  it("starts workerd again where that dies", async () => {
    await startEdge(sandbox);
    const s3 = await deploy();
    await s3.send(new PutObjectCommand({ Bucket: "nix", Key: "a", Body: "kept" }));
    const daemon = await findEdge(sandbox);
    const workerd = (await findProcesses(edgeFolder(sandbox))).find(({ pid }) => pid !== daemon)!;
    process.kill(workerd.pid, "SIGKILL");
    let said: string | undefined;
    for (let left = 200; left > 0 && said === undefined; left--) {
      await sleep(50);
      said = await asked().catch(() => undefined);
    }
    assert.equal(said, "kept");
    assert.equal(await findEdge(sandbox), daemon);
  });

  it("takes other ports where somebody has taken its own, and tells them", async () => {
    await startEdge(sandbox);
    await deploy();
    const before = (await edgeAddresses(sandbox))!;
    await stopEdge(sandbox);
    const holders: (Server | undefined)[] = [];
    try {
      for (const address of [before.api, before.workers[0]!.url]) holders.push(await hold(address));
      const env = await provideEdge(sandbox);
      const after = (await edgeAddresses(sandbox))!;
      assert.equal(after.api, env.CLOUDFLARE_BASE_URL);
      assert.notEqual(after.api, before.api);
      assert.notEqual(after.workers[0]!.url, before.workers[0]!.url);
      assert.equal(after.s3, before.s3);
    } finally {
      for (const holder of holders) holder?.close();
    }
  });

  it("keeps its token, and all that it remembers, for its owner only", async () => {
    const env = await provideEdge(sandbox);
    await startEdge(sandbox);
    await deploy();
    const folder = edgeFolder(sandbox);
    assert.equal((await stat(folder)).mode & 0o777, 0o700);
    const pid = (await findEdge(sandbox))!;
    assert.equal((await readFile(`/proc/${pid}/cmdline`, "utf8")).includes(env.CLOUDFLARE_API_TOKEN!), false);
    assert.equal(
      (await readFile(join(folder, "edge.log"), "utf8")).includes(env.CLOUDFLARE_API_TOKEN!),
      false,
    );
    assert.equal(
      (await readFile(join(sandbox, "edge.json"), "utf8")).includes(env.CLOUDFLARE_API_TOKEN!),
      false,
    );
  });
});

/** Takes an address of this machine. @returns undefined where somebody has it, and does not let it go. */
async function hold(address: string): Promise<Server | undefined> {
  for (let tries = 0; tries < 50; tries += 1) {
    const server = createServer().listen(Number(new URL(address).port), "127.0.0.1");
    try {
      await once(server, "listening");
      return server;
    } catch {
      await sleep(100);
    }
  }
  return undefined;
}
