import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { bundleJob } from "../../../../jobs/bundle.ts";
import { bundleWorker } from "../../../../components/edge/bundle.ts";
import type { EdgeConfig } from "../../../../components/edge/layout.ts";
import { type Stack, stackOf } from "../../../support/kinds.ts";
import type { Registered } from "../../../support/mocks.ts";
import { dataOf } from "../../../support/objects.ts";
import type { Content } from "../../../support/stack-files.ts";

const ACCOUNT = "0123456789abcdef0123456789abcdef";
const ZONE = "fedcba9876543210fedcba9876543210";
const CACHES = [{ name: "main", public: true, priority: 30 }, { name: "private" }, { name: "other" }];

const stackWith = (edge: Content = {}, more: Content = {}): Promise<Stack> =>
  stackOf(
    {},
    {
      caches: CACHES,
      edge: { account: ACCOUNT, zone: ZONE, host: "edge.example.com", caches: ["main", "private"], ...edge },
      ...more,
    },
  );

function only({ resources }: Stack, type: string, name?: string): Registered {
  const found = resources.filter(
    (resource) => resource.type.endsWith(type) && (name === undefined || resource.name === name),
  );
  assert.equal(found.length, 1, `${found.length} of ${type} ${name}`);
  return found[0]!;
}

const json = (value: unknown): unknown => JSON.parse(value as string);

describe("the edge of a stack", () => {
  it("is nothing where none is declared", async () => {
    const { resources, result } = await stackOf({}, { caches: CACHES });
    assert.deepEqual(
      resources.filter(({ type }) => type.includes("edge") || type.startsWith("cloudflare")),
      [],
    );
    assert.equal("edge" in result, false);
  });

  it("is made of these", async () => {
    const { resources } = await stackWith();
    const made = resources.filter(({ urn, type }) => urn.includes("attic-edge") && !type.includes("pulumi:"));
    assert.deepEqual(made.map(({ type, name }) => `${type.split(":").at(-1)} ${name}`).sort(), [
      "AccessToken attic-edge-mirror",
      "AccountToken attic-edge-bucket-mirror",
      "AccountToken attic-edge-bucket-mirror",
      "AccountToken attic-edge-reads",
      "AccountToken attic-edge-reads",
      "ConfigMap attic-edge-mirror",
      "ConfigMap attic-edge-mirror-database-ca",
      "CronJob attic-edge-mirror",
      "Edge attic-edge",
      "EdgeBucket attic-edge-bucket",
      "EdgeWorker attic-edge-worker",
      "Job attic-edge-mirror-roles",
      "Mirror attic-edge-mirror",
      "NetworkPolicy attic-edge-mirror",
      "NetworkPolicy attic-edge-mirror-server",
      "R2Bucket attic-edge-bucket",
      "R2BucketLifecycle attic-edge-bucket-lifecycle",
      "RandomPassword attic-edge-mirror-reader",
      "RandomPassword attic-edge-mirror-toucher",
      "Secret attic-edge-mirror-environment",
      "Secret attic-edge-mirror-roles",
      "WorkersCustomDomain attic-edge-worker-domain",
      "WorkersScript attic-edge-worker",
    ]);
  });

  it("keeps a bucket in which nothing ends by its age but unfinished uploads", async () => {
    const stack = await stackWith({ location: "weur" });
    assert.deepEqual(only(stack, "R2Bucket").inputs, {
      accountId: ACCOUNT,
      name: "attic-edge-test",
      location: "weur",
    });
    assert.deepEqual(only(stack, "R2BucketLifecycle").inputs.rules, [
      {
        id: "unfinished uploads",
        enabled: true,
        conditions: { prefix: "" },
        abortMultipartUploadsTransition: { condition: { type: "Age", maxAge: 86400 } },
      },
    ]);
  });

  it("protects the bucket where data is protected", async () => {
    const protects = async (protectData: boolean) =>
      only(await stackWith({}, { protectData }), "R2Bucket").protect;
    assert.deepEqual([await protects(true), await protects(false)], [true, false]);
  });

  it("gives the mirror a token that can write into that bucket, and into nothing else", async () => {
    const token = only(await stackWith({ countReads: false }), "accountToken:AccountToken");
    assert.deepEqual(token.inputs, {
      accountId: ACCOUNT,
      name: "attic-edge-test mirror",
      policies: [
        {
          effect: "allow",
          permissionGroups: [{ id: "group-of-bucket-writers" }],
          resources: `{"com.cloudflare.edge.r2.bucket.${ACCOUNT}_default_attic-edge-test":"*"}`,
        },
      ],
    });
  });

  it("deploys the Worker's very bytes, which can read the bucket and note what is read", async () => {
    const { inputs } = only(await stackWith(), "WorkersScript");
    assert.equal(inputs.content, await bundleWorker());
    const bindings = inputs.bindings as Record<string, unknown>[];
    assert.deepEqual(
      bindings.map(({ json: _config, ...binding }) => binding),
      [
        { type: "r2_bucket", name: "BUCKET", bucketName: "attic-edge-test" },
        { type: "json", name: "CONFIG" },
        { type: "analytics_engine", name: "READS", dataset: "attic_edge_test_reads" },
      ],
    );
  });

  it("tells the Worker what it serves, and how tokens are checked, but no key that could make one", async () => {
    const server = { tokenIssuer: "lab", tokenAudiences: ["a", "b"] };
    const stack = await stackWith({ default: "private", pullThrough: true }, { server });
    const bindings = only(stack, "WorkersScript").inputs.bindings as Record<string, unknown>[];
    const { token, caches, ...config } = json(bindings[1]!.json) as EdgeConfig;
    assert.deepEqual(config, {
      url: "https://edge.example.com",
      default: "private",
      pullThrough: "https://cache.example.com/",
    });
    assert.deepEqual(
      caches.map(({ publicKey, ...cache }) => [publicKey.split(":")[0], cache]),
      [
        ["main", { name: "main", storeDir: "/nix/store", priority: 30, isPublic: true }],
        ["private", { name: "private", storeDir: "/nix/store", priority: 41, isPublic: false }],
      ],
    );
    const { publicKey, ...check } = token as { publicKey: string };
    assert.deepEqual(check, { algorithm: "RS256", issuer: "lab", audiences: ["a", "b"] });
    assert.match(publicKey, /^-----BEGIN PUBLIC KEY-----/);
  });

  it("has no key for the Worker where tokens are signed by HS256", async () => {
    const stack = await stackWith({ caches: ["main"] }, { server: { signingAlgorithm: "HS256" } });
    const bindings = only(stack, "WorkersScript").inputs.bindings as Record<string, unknown>[];
    assert.deepEqual((json(bindings[1]!.json) as EdgeConfig).token, { algorithm: "HS256" });
  });

  it("is served under its host name", async () => {
    assert.deepEqual(only(await stackWith(), "WorkersCustomDomain").inputs, {
      accountId: ACCOUNT,
      zoneId: ZONE,
      hostname: "edge.example.com",
      service: "attic-edge-test",
    });
  });
});

describe("the mirror of an edge", () => {
  it("runs every quarter of an hour, and never two at once", async () => {
    const { spec } = only(await stackWith(), "CronJob").inputs as { spec: Record<string, unknown> };
    assert.deepEqual([spec.schedule, spec.concurrencyPolicy], ["*/15 * * * *", "Forbid"]);
  });

  it("is given its program and its settings as files, and what is secret by a Secret", async () => {
    const stack = await stackWith({ mirror: { concurrency: 4, grace: "2d" } });
    const files = dataOf(stack.resources, "ConfigMap", "attic-edge-mirror");
    assert.equal(files["mirror.cjs"], await bundleJob("mirror"));
    assert.deepEqual(json(files["mirror.json"]), {
      caches: ["main", "private"],
      concurrency: 4,
      graceSeconds: 172_800,
    });
    const secret = dataOf(stack.resources, "Secret", "attic-edge-mirror-environment");
    assert.deepEqual(Object.keys(secret).sort(), [
      "ANALYTICS_TOKEN",
      "ATTIC_TOKEN",
      "AWS_ACCESS_KEY_ID",
      "AWS_SECRET_ACCESS_KEY",
      "DATABASE_URL",
      "TOUCH_DATABASE_URL",
    ]);
    const container = containerOf(only(stack, "CronJob"));
    assert.deepEqual(container.command, ["node", "/etc/attic-mirror/mirror.cjs"]);
    assert.deepEqual(Object.fromEntries(container.env.map(({ name, value }) => [name, value])), {
      ATTIC_URL: "http://attic.attic.svc:80/",
      S3_ENDPOINT: `https://${ACCOUNT}.r2.cloudflarestorage.com`,
      S3_REGION: "auto",
      S3_BUCKET: "attic-edge-test",
      ANALYTICS_ACCOUNT: ACCOUNT,
      ANALYTICS_DATASET: "attic_edge_test_reads",
      MIRROR_CONFIG: "/etc/attic-mirror/mirror.json",
      DATABASE_CA: "/etc/attic-database/ca.crt",
    });
  });

  it("has keys of the bucket that are made from the account's token", async () => {
    const stack = await stackWith();
    const { AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY } = dataOf(
      stack.resources,
      "Secret",
      "attic-edge-mirror-environment",
    );
    const value = stack.secretValues.find(
      (secret) => createHash("sha256").update(secret).digest("hex") === AWS_SECRET_ACCESS_KEY,
    );
    assert.deepEqual([AWS_ACCESS_KEY_ID, value?.slice(0, 6)], ["attic-edge-bucket-mirror-id", "token-"]);
  });

  it("has a token that pulls from the caches that are mirrored, and does nothing else", async () => {
    const { inputs } = only(await stackWith(), "AccessToken", "attic-edge-mirror");
    assert.deepEqual(inputs.permissions, [
      { cache: "main", allow: ["pull"] },
      { cache: "private", allow: ["pull"] },
    ]);
  });

  it("sees the database by roles of its own, which a job makes before", async () => {
    const stack = await stackWith();
    const job = dataOf(stack.resources, "Secret", "attic-edge-mirror-roles");
    const mirror = dataOf(stack.resources, "Secret", "attic-edge-mirror-environment");
    const user = (url: unknown) => new URL(url as string).username;
    assert.deepEqual([job.ADMIN_DATABASE_URL, job.DATABASE_URL, job.TOUCH_DATABASE_URL].map(user), [
      "attic",
      "attic_mirror",
      "attic_mirror_uses",
    ]);
    assert.deepEqual(
      [mirror.DATABASE_URL, mirror.TOUCH_DATABASE_URL],
      [job.DATABASE_URL, job.TOUCH_DATABASE_URL],
    );
    assert.equal(Object.values(mirror).includes(job.ADMIN_DATABASE_URL!), false);
    assert.match(
      mirror.DATABASE_URL!,
      /^postgres:\/\/attic_mirror:[0-9a-f]{48}@.*\?sslmode=verify-full&sslrootcert=\/etc\/attic-database\/ca\.crt$/,
    );
    const waits = only(stack, "CronJob").dependencies;
    assert.ok(waits.some((urn) => urn.endsWith("Job::attic-edge-mirror-roles")));
  });

  it("counts no reads where that is not wanted", async () => {
    const stack = await stackWith({ countReads: false });
    const bindings = only(stack, "WorkersScript").inputs.bindings as { name: string }[];
    assert.deepEqual(
      bindings.map(({ name }) => name),
      ["BUCKET", "CONFIG"],
    );
    const secret = dataOf(stack.resources, "Secret", "attic-edge-mirror-environment");
    assert.deepEqual(
      Object.keys(secret).filter((key) => /ANALYTICS|TOUCH/.test(key)),
      [],
    );
    assert.equal(
      stack.resources.some(({ name }) => name === "attic-edge-reads"),
      false,
    );
  });

  it("reaches the server, which lets it in, the database, the store and Cloudflare", async () => {
    const stack = await stackWith();
    const { spec } = only(stack, "NetworkPolicy", "attic-edge-mirror").inputs as {
      spec: { egress: unknown[] };
    };
    assert.equal(spec.egress.length, 2);
    const { labels } = podOf(only(stack, "CronJob")).metadata;
    assert.equal(labels["attic-stack/database-client"], "true");
    assert.equal(labels["attic-stack/object-store-client"], "true");
    assert.equal(labels["app.kubernetes.io/component"], "mirror");
  });
});

interface Template {
  metadata: { labels: Record<string, string> };
  spec: { containers: { command: string[]; env: { name: string; value: string }[] }[] };
}

function podOf({ inputs }: Registered): Template {
  return (inputs as { spec: { jobTemplate: { spec: { template: Template } } } }).spec.jobTemplate.spec
    .template;
}

function containerOf(cron: Registered): Template["spec"]["containers"][number] {
  return podOf(cron).spec.containers[0]!;
}
