import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import k8s from "@pulumi/kubernetes";
import { Cluster } from "../support/cluster.ts";
import { TestStack } from "../support/sandbox.ts";

const NAMESPACE = "default";
const metadata = { namespace: NAMESPACE };
const labels = { app: "policy-test" };

const { privateKey } = generateKeyPairSync("ec", {
  namedCurve: "P-256",
  privateKeyEncoding: { type: "sec1", format: "pem" },
  publicKeyEncoding: { type: "spki", format: "pem" },
});

function configMap(text: string): void {
  new k8s.core.v1.ConfigMap("policy-test", { metadata, data: { text } });
}

function collector(replicas: number): void {
  new k8s.apps.v1.Deployment("policy-test", {
    metadata,
    spec: {
      replicas,
      strategy: { type: "Recreate" },
      selector: { matchLabels: labels },
      template: {
        metadata: { labels },
        spec: {
          containers: [{ name: "main", image: "example.org/attic", args: ["--mode", "garbage-collector"] }],
        },
      },
    },
  });
}

describe("the policy pack", function () {
  this.timeout(1_200_000);
  let stack: TestStack;
  let cluster: Cluster;
  let program: () => void;

  before(async () => {
    stack = await TestStack.open("policy", {}, () => {
      program();
      return Promise.resolve();
    });
    cluster = await Cluster.of(stack.sandbox);
  });

  after(async () => {
    cluster.close();
    await stack.destroy();
  });

  /** What there is of the program; events stay for an hour. */
  async function made(): Promise<string[]> {
    const objects = (await cluster.objects(NAMESPACE)).filter(({ kind }) => kind !== "Event");
    return objects.filter(({ metadata: { name } }) => name.startsWith("policy-test")).map(({ kind }) => kind);
  }

  /** What the CLI prints at an update that fails. */
  async function refused(): Promise<string> {
    try {
      await stack.up();
    } catch (error) {
      return String(error);
    }
    return assert.fail("The update went through");
  }

  const refusals = [
    {
      what: "a collector that runs twice",
      rule: "one-garbage-collector",
      program: () => {
        collector(2);
      },
    },
    {
      what: "a private key in a ConfigMap",
      rule: "no-secret-in-plain-sight",
      program: () => {
        configMap(privateKey);
      },
    },
  ];

  for (const refusal of refusals) {
    it(`keeps an update from making ${refusal.what}, and names its rule ${refusal.rule}`, async () => {
      program = refusal.program;
      const printed = await refused();
      assert.match(printed, new RegExp(`mandatory.*${refusal.rule}`));
      assert.equal(printed.includes(privateKey.split("\n")[1] ?? "-"), false);
      assert.deepEqual(await made(), []);
    });
  }

  it("lets the same program through where it keeps the rules", async () => {
    program = () => {
      collector(1);
      configMap("nothing to hide");
    };
    const { steps } = await stack.up();
    assert.deepEqual(steps, [
      "create kubernetes:apps/v1:Deployment policy-test",
      "create kubernetes:core/v1:ConfigMap policy-test",
    ]);
    assert.deepEqual(
      (await made()).filter((kind) => ["ConfigMap", "Deployment"].includes(kind)),
      ["ConfigMap", "Deployment"],
    );
  });
});
