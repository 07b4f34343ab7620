import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { DeleteObjectCommand, GetObjectCommand, PutObjectCommand, S3Client } from "@aws-sdk/client-s3";
import cloudflare from "@pulumi/cloudflare";
import pulumi from "@pulumi/pulumi";
import { edgeAddresses, findEdge, startEdge } from "../../../sandbox/edge/index.ts";
import { testSandbox } from "../../support/sandbox.ts";
import { PluginStack } from "./plugin-stack.ts";

const ACCOUNT = "0123456789abcdef0123456789abcdef";
const ITEM_WRITE = "Workers R2 Storage Bucket Item Write";
const worker = (greeting: string) => `export default {
  async fetch(request, env) {
    const object = await env.BUCKET.get(new URL(request.url).pathname.slice(1));
    return new Response(object === null ? "${greeting}, " + env.WHO : object.body, { status: object ? 200 : 404 });
  },
};`;

/** What a program of the tests is made with. */
const settings = { greeting: "hello", location: "weur", text: "world", dangling: false };

async function program(): Promise<Record<string, unknown>> {
  const bucket = new cloudflare.R2Bucket("bucket", {
    accountId: ACCOUNT,
    name: "plugin-test",
    location: settings.location,
  });
  new cloudflare.R2BucketLifecycle("lifecycle", {
    accountId: ACCOUNT,
    bucketName: bucket.name,
    rules: [
      {
        id: "unfinished",
        enabled: true,
        conditions: { prefix: "" },
        abortMultipartUploadsTransition: { condition: { type: "Age", maxAge: 86_400 } },
      },
    ],
  });
  const { results } = await cloudflare.getAccountApiTokenPermissionGroupsList({
    accountId: ACCOUNT,
    name: encodeURIComponent(ITEM_WRITE),
  });
  const token = new cloudflare.AccountToken("token", {
    accountId: ACCOUNT,
    name: "mirror",
    policies: [
      {
        effect: "allow",
        permissionGroups: results.map(({ id }) => ({ id })),
        resources: bucket.name.apply((name) =>
          JSON.stringify({ [`com.cloudflare.edge.r2.bucket.${ACCOUNT}_default_${name}`]: "*" }),
        ),
      },
    ],
  });
  const script = new cloudflare.WorkersScript("script", {
    accountId: ACCOUNT,
    scriptName: "plugin-test",
    mainModule: "worker.js",
    content: worker(settings.greeting),
    compatibilityDate: "2026-07-01",
    observability: { enabled: true },
    bindings: [
      { type: "r2_bucket", name: "BUCKET", bucketName: settings.dangling ? "nowhere" : bucket.name },
      { type: "plain_text", name: "WHO", text: settings.text },
    ],
  });
  new cloudflare.WorkersCustomDomain("domain", {
    accountId: ACCOUNT,
    hostname: "cache.example.com",
    service: script.scriptName,
  });
  return {
    id: token.id,
    secret: token.value.apply((value) => createHash("sha256").update(value).digest("hex")),
    groups: results.map(({ name }) => name),
  };
}

describe("the cloudflare plugin", function () {
  this.timeout(180_000);
  let stack: PluginStack;
  let s3: S3Client;

  before(async () => {
    stack = await PluginStack.open("plugin-cloudflare", program);
  });

  const addresses = async () => (await edgeAddresses((await testSandbox()).folder))!;
  const ask = async (path: string) => {
    const { workers } = await addresses();
    const response = await fetch(`${workers.find(({ name }) => name === "plugin-test")!.url}${path}`);
    return `${response.status} ${await response.text()}`;
  };

  it("previews and creates a bucket, a token and a Worker that reads the bucket", async () => {
    const all = ["bucket", "domain", "lifecycle", "script", "token"].map((name) => `create ${name}`);
    assert.deepEqual((await stack.preview()).steps, all);
    const first = await stack.up();
    assert.deepEqual(first.steps, all);
    assert.deepEqual(first.outputs.groups?.value, [ITEM_WRITE]);
    assert.equal(first.outputs.secret?.secret, true);
    assert.match(String(first.outputs.id?.value), /^[0-9a-f]{32}$/);
    assert.equal(await ask("/none"), "404 hello, world");
    const { workers, s3: endpoint } = await addresses();
    assert.deepEqual(workers.find(({ name }) => name === "plugin-test")?.hosts, ["cache.example.com"]);
    s3 = new S3Client({
      region: "auto",
      endpoint,
      forcePathStyle: true,
      credentials: {
        accessKeyId: String(first.outputs.id?.value),
        secretAccessKey: String(first.outputs.secret.value),
      },
    });
    assert.deepEqual((await stack.up()).steps, []);
  });

  it("lets the token's keys write what the Worker reads", async () => {
    await s3.send(new PutObjectCommand({ Bucket: "plugin-test", Key: "a/b", Body: "by S3" }));
    assert.equal(await ask("/a/b"), "200 by S3");
  });

  it("keeps the token's value, and what is bound as text, out of the state in clear", async () => {
    const [token, script] = [await stack.resource("token"), await stack.resource("script")];
    const [value, [, who]] = [
      token.outputs.value as { plaintext?: string },
      script.outputs.bindings as { text?: { plaintext?: string } }[],
    ];
    // Only what is kept as ciphertext comes out of an export like this.
    assert.match(value.plaintext ?? "", /^"[\w-]{40}"$/);
    assert.equal(who?.text?.plaintext, '"world"');
    assert.deepEqual(Object.keys(script.outputs).sort(), [
      "accountId",
      "bindings",
      "compatibilityDate",
      "compatibilityFlags",
      "content",
      "createdOn",
      "etag",
      "handlers",
      "hasAssets",
      "hasModules",
      "id",
      "lastDeployedFrom",
      "logpush",
      "mainModule",
      "modifiedOn",
      "namedHandlers",
      "observability",
      "scriptName",
      "startupTimeMs",
      "usageModel",
    ]);
  });

  it("updates a Worker in place, and overlooks another location of the bucket", async () => {
    settings.greeting = "good evening";
    settings.location = "enam";
    const { steps, changed } = await stack.up();
    assert.deepEqual([steps, changed], [["update script"], { script: ["content"] }]);
    assert.equal(await ask("/none"), "404 good evening, world");
    assert.equal(await ask("/a/b"), "200 by S3");
  });

  it("finds nothing changed by a refresh, and what somebody else changed", async () => {
    assert.deepEqual((await stack.refresh()).changed, {});
    assert.deepEqual((await stack.up()).steps, []);
    const { env } = await testSandbox();
    const call = async (method: string, path: string, body?: string) =>
      await fetch(`${env.CLOUDFLARE_BASE_URL}/accounts/${ACCOUNT}/${path}`, {
        method,
        headers: { authorization: `Bearer ${env.CLOUDFLARE_API_TOKEN}` },
        ...(body !== undefined && { body }),
      });
    await call("PUT", "r2/buckets/plugin-test/lifecycle", JSON.stringify({ rules: [] }));
    const token = await stack.resource("token");
    assert.equal((await call("DELETE", `tokens/${token.id}`)).status, 200);
    await stack.refresh();
    const { steps } = await stack.up();
    assert.deepEqual(steps, ["create token", "update lifecycle"]);
  });

  it("has its buckets and Workers again when its daemon was killed, at the same addresses", async () => {
    const { folder } = await testSandbox();
    const before = await addresses();
    const pid = (await findEdge(folder))!;
    process.kill(pid, "SIGKILL");
    while ((await findEdge(folder)) === pid) await sleep(20);
    await startEdge(folder);
    assert.deepEqual(await addresses(), before);
    assert.equal(await ask("/a/b"), "200 by S3");
    assert.notEqual(await findEdge(folder), pid);
  });

  it("refuses what the official plugin refuses before anything is made", async () => {
    const script = { accountId: ACCOUNT, scriptName: "wrong", content: "a" };
    const policy = { effect: "allow", permissionGroups: [], resources: "{" };
    const wrong: [() => unknown, RegExp][] = [
      [
        () => new cloudflare.R2Bucket("it", { accountId: ACCOUNT, name: "wrong", location: "mars" }),
        /location must be one of apac, eeur, enam, weur, wnam, oc, got "mars"/,
      ],
      [
        () =>
          new cloudflare.WorkersScript("it", {
            ...script,
            bindings: [{ name: "X", type: "plain_text", words: "x" } as never],
          }),
        /knows no input bindings\[0\]\.words/,
      ],
      [
        () => new cloudflare.WorkersScript("it", { ...script, contentFile: "x" }),
        /content and contentFile cannot both be given/,
      ],
      [
        () => new cloudflare.WorkersScript("it", { ...script, contentSha256: "0".repeat(64) }),
        /contentSha256 is not the SHA-256 of the contents/,
      ],
      [
        () => new cloudflare.WorkersScript("it", { ...script, bindings: [{ name: "X" } as never] }),
        /Missing required property 'type'/,
      ],
      [
        () => new cloudflare.WorkersScript("it", { ...script, migrations: { newTag: "1" } }),
        /does not play the input migrations of cloudflare:index\/workersScript:WorkersScript/,
      ],
      [
        () => new cloudflare.AccountToken("it", { accountId: ACCOUNT, name: "wrong", policies: [policy] }),
        /policies\[0\]\.resources must be valid JSON/,
      ],
    ];
    let make: () => unknown = () => undefined;
    const stack = await PluginStack.open("plugin-cloudflare-wrong", () => {
      make();
      return Promise.resolve({});
    });
    for (const [resource, why] of wrong) {
      make = resource;
      const { ok, errors } = await stack.preview();
      assert.equal(ok, false, String(resource));
      assert.match(errors.join("\n"), why);
    }
  });

  it("passes on what Cloudflare refuses, and leaves what was there", async () => {
    settings.dangling = true;
    const { ok, errors } = await stack.up();
    settings.dangling = false;
    assert.equal(ok, false);
    assert.match(errors.join("\n"), /R2 bucket 'nowhere' not found.*\(10085\)/);
    assert.equal(await ask("/a/b"), "200 by S3");
    assert.deepEqual((await stack.up()).steps, []);
  });

  it("names a type and a function that it does not play", async () => {
    const other = await PluginStack.open("plugin-cloudflare-unplayed", () => {
      new cloudflare.Zone("zone", { account: { id: ACCOUNT }, name: "example.com" });
      return Promise.resolve({});
    });
    const { errors } = await other.preview();
    assert.match(errors.join("\n"), /does not play the resource type cloudflare:index\/zone:Zone/);
    const asks = await PluginStack.open("plugin-cloudflare-function", () => {
      const zones = cloudflare.getZonesOutput({ name: "example.com" });
      return Promise.resolve({ zones: pulumi.output(zones.results) });
    });
    assert.match(
      (await asks.preview()).errors.join("\n"),
      /does not play the function cloudflare:index\/getZones:getZones/,
    );
  });

  it("does not delete a bucket that holds objects, and all of it when it is empty", async () => {
    const refused = await stack.destroy();
    assert.equal(refused.ok, false);
    assert.match(refused.errors.join("\n"), /is not empty.*\(10008\)/);
    const { env } = await testSandbox();
    const made = await stack.up();
    const keys = {
      accessKeyId: String(made.outputs.id?.value),
      secretAccessKey: String(made.outputs.secret?.value),
    };
    const again = new S3Client({
      region: "auto",
      endpoint: (await addresses()).s3,
      forcePathStyle: true,
      credentials: keys,
    });
    const { Body } = await again.send(new GetObjectCommand({ Bucket: "plugin-test", Key: "a/b" }));
    assert.equal(await Body?.transformToString(), "by S3");
    await again.send(new DeleteObjectCommand({ Bucket: "plugin-test", Key: "a/b" }));
    assert.equal((await stack.destroy()).ok, true);
    const left = await fetch(`${env.CLOUDFLARE_BASE_URL}/accounts/${ACCOUNT}/r2/buckets`, {
      headers: { authorization: `Bearer ${env.CLOUDFLARE_API_TOKEN}` },
    });
    const { result } = (await left.json()) as { result: { buckets: { name: string }[] } };
    assert.deepEqual(
      result.buckets.filter(({ name }) => name === "plugin-test"),
      [],
    );
  });
});
