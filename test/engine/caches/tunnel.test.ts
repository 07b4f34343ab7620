import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { readFile } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { anyFreePort } from "../../../sandbox/support/port.ts";
import type { CacheRun, CacheStack, CacheStackOptions } from "../../support/cache-stack.ts";
import { CacheWorld } from "../../support/cache-world.ts";
import { Cluster } from "../../support/cluster.ts";
import { Pods } from "../../support/pods.ts";
import { Proxy } from "../../support/proxy.ts";
import { testSandbox } from "../../support/sandbox.ts";

/** A name that no server has: what goes there goes through the tunnel. */
const ENDPOINT = "https://cache.example.invalid/";
const MOST = 16;
const WAY = "There is no way to the server through the Kubernetes API";

describe("the tunnel to the server", function () {
  this.timeout(300_000);
  let world: CacheWorld;
  let cluster: Cluster;
  let kubeconfig: string;
  const closing: (() => Promise<void>)[] = [];
  const waiting = new Map<string, { run: () => Promise<void>; done: Promise<void> }>();

  before(async () => {
    const { controlPlane, ...sandbox } = await testSandbox();
    cluster = await Cluster.of({ ...sandbox, controlPlane });
    kubeconfig = await readFile(controlPlane.kubeconfig, "utf8");
    world = await CacheWorld.start();
    for (const test of waiting.values()) {
      test.done = test.run();
      test.done.catch(() => undefined);
    }
  });
  after(async () => {
    await Promise.allSettled(
      [...waiting.values()].map(async ({ done }) => {
        await done;
      }),
    );
    for (const close of closing) await close();
    cluster.close();
    await world.stop();
  });

  /** A test that does little but wait, and so waits together with the others. */
  function slow(title: string, run: () => Promise<void>): void {
    waiting.set(title, { run, done: Promise.resolve() });
    it(title, () => waiting.get(title)?.done);
  }
  /** Pods in a namespace that nobody else uses. */
  const place = async () => {
    const pods = await Pods.in(cluster, `tunnel-${randomBytes(4).toString("hex")}`);
    closing.push(() => pods.close());
    return pods;
  };
  /** Another way to the same server, which can be counted and cut. */
  const way = async () => {
    const proxy = await Proxy.start(world.attic.url);
    closing.push(() => proxy.stop());
    return proxy;
  };
  /** A stack of so many caches whose names begin with the namespace's. */
  const open = async (pods: Pods, count: number, options?: CacheStackOptions): Promise<CacheStack> => {
    const names = Array.from({ length: count }, (_, index) => `${pods.namespace}-${index}`);
    const tunnel = { namespace: pods.namespace, service: pods.service };
    const server = { ...world.server, endpoint: ENDPOINT, tunnel };
    return await world.open(
      { server, caches: Object.fromEntries(names.map((name) => [name, { name }])) },
      options,
    );
  };
  const made = async (pods: Pods) =>
    (await world.api.names()).filter((name) => name.startsWith(`${pods.namespace}-`)).length;
  const done = ({ ok, messages }: CacheRun) => {
    assert.deepEqual([ok, messages], [true, []]);
  };
  const errorsOf = ({ ok, messages, printed }: CacheRun) => {
    assert.equal(ok, false);
    assert.doesNotMatch(printed, /\n\s+at .*:\d+:\d+/);
    return messages.filter((message) => message !== "error: update failed");
  };

  it("leads to a pod that is ready, by 16 connections that are kept", async () => {
    const [pods, proxy] = [await place(), await way()];
    await pods.addService();
    await pods.add("attic-0", proxy.url);
    await pods.ready("attic-0");
    // Long enough that those who may be under way together are.
    proxy.delay = 200;
    const stack = await open(pods, 60);
    done(await stack.up({ parallel: 100 }));
    assert.equal(await made(pods), 60);
    // The engine writes its state between the beginnings of two, so that there may be fewer at once.
    assert.equal(proxy.seen.length, 60);
    assert.ok(proxy.most <= MOST && proxy.connections <= MOST, `${proxy.most}, ${proxy.connections}`);
    proxy.forget();
    done(await stack.up());
    assert.deepEqual([proxy.seen.length, proxy.connections], [0, 0]);
    done(await stack.refresh({ parallel: 100 }));
    assert.deepEqual([proxy.seen.length, proxy.most, proxy.connections], [60, MOST, MOST]);
    done(await stack.destroy());
    assert.equal(await made(pods), 0);
  });

  it("goes round a pod that is there and not ready", async () => {
    const [pods, proxy, dead] = [await place(), await way(), await way()];
    await pods.addService();
    await dead.interrupt();
    for (const [name, { url }] of [
      ["attic-0", dead],
      ["attic-1", proxy],
    ] as const) {
      await pods.add(name, url);
      await pods.ready(name);
    }
    await pods.unready("attic-0");
    done(await (await open(pods, 3)).up());
    assert.equal(proxy.seen.length, 3);
  });

  for (const left of ["is gone", "is still there and answers nobody"]) {
    slow(`goes on by another pod when the first one ${left} in the middle of a run`, async () => {
      const [pods, first, second] = [await place(), await way(), await way()];
      await pods.addService();
      await pods.add("attic-0", first.url);
      await pods.ready("attic-0");
      let replaced: Promise<void> | undefined;
      const replace = async () => {
        await pods.add("attic-1", second.url);
        await pods.ready("attic-1");
        if (left === "is gone") await pods.remove("attic-0");
        else await pods.unready("attic-0");
        await first.interrupt();
      };
      first.fault = () => {
        if (first.seen.length === 20) replaced = replace();
        // None is answered any more, so that none but the second can do the rest.
        return first.seen.length >= 20;
      };
      done(await (await open(pods, 60)).up());
      await replaced;
      assert.equal(await made(pods), 60);
      assert.ok(second.seen.length >= 40);
    });
  }

  slow("waits for a Service, and for a pod that is ready late", async () => {
    const [pods, proxy] = [await place(), await way()];
    const stack = await open(pods, 3);
    const come = async () => {
      await sleep(3_000);
      await pods.addService();
      await sleep(3_000);
      await pods.add("attic-0", proxy.url);
    };
    const [run] = await Promise.all([stack.up(), come()]);
    done(run);
    assert.equal(proxy.seen.length, 3);
  });

  it("leads to the cluster and the user of the stack's own settings for Kubernetes", async () => {
    const [pods, proxy] = [await place(), await way()];
    await pods.addService();
    await pods.add("attic-0", proxy.url);
    await pods.ready("attic-0");
    const rules = [
      { resources: ["services"], verbs: ["get"] },
      { resources: ["pods"], verbs: ["list"] },
      { resources: ["pods/portforward"], verbs: ["get", "create"] },
    ];
    const user = await pods.user("tunneller", rules, { kubeconfig });
    const env = { KUBECONFIG: "/nowhere" };
    const config = { "kubernetes:kubeconfig": user.kubeconfig, "kubernetes:context": "attic-stack-sandbox" };
    done(await (await open(pods, 3, { env, config })).up());
    assert.equal(proxy.seen.length, 3);
  });

  it("is not opened where ATTIC_SERVER_URL says where the server is", async () => {
    const pods = await place();
    const env = { KUBECONFIG: "/nowhere", ATTIC_SERVER_URL: world.proxy.url };
    const { ok, messages } = await (await open(pods, 3, { env })).up();
    assert.equal(ok, true, messages.join("\n"));
    assert.equal(await made(pods), 3);
  });

  const refused: {
    what: string;
    prepare?: (pods: Pods) => Promise<unknown>;
    options?: (pods: Pods) => Promise<CacheStackOptions> | CacheStackOptions;
    sentence: (namespace: string) => string;
  }[] = [
    {
      what: "a context that the kubeconfig has not",
      options: () => ({ config: { "kubernetes:context": "production" } }),
      sentence: () => `${WAY}: the kubeconfig has no context production with a cluster.`,
    },
    {
      what: "a kubeconfig that is none",
      options: () => ({ config: { "kubernetes:kubeconfig": "clusters: [" } }),
      sentence: () => `${WAY}: the kubeconfig cannot be read.`,
    },
    {
      what: "a user whom the cluster does not know",
      options: () => ({
        config: { "kubernetes:kubeconfig": kubeconfig.replace(/"token": "[^"]+"/, '"token": "nobody"') },
      }),
      sentence: () => `${WAY}: the cluster does not know the kubeconfig's user.`,
    },
    ...(
      [
        ["get services", []],
        ["list pods", [{ resources: ["services"], verbs: ["get"] }]],
        // A WebSocket begins with GET, and who may only read is not to get in by that.
        ...[[], ["get"], ["create"]].map(
          (verbs) =>
            [
              "get and create pods/portforward",
              [
                { resources: ["services"], verbs: ["get"] },
                { resources: ["pods"], verbs: ["list"] },
                ...(verbs.length > 0 ? [{ resources: ["pods/portforward"], verbs }] : []),
              ],
              verbs.length > 0 ? `, but only ${verbs.join()}` : "",
            ] as const,
        ),
      ] as const
    ).map(([right, rules, more = ""]) => ({
      what: `a user who may not ${right}${more}`,
      prepare: async (pods: Pods) => {
        await pods.addService();
        await pods.add("attic-0", world.proxy.url);
        await pods.ready("attic-0");
      },
      options: async (pods: Pods) => {
        const copies = rules.map(({ resources, verbs }) => ({
          resources: [...resources],
          verbs: [...verbs],
        }));
        const user = await pods.user("reader", copies, { kubeconfig });
        return { config: { "kubernetes:kubeconfig": user.kubeconfig } };
      },
      sentence: (namespace: string) => `${WAY}: the kubeconfig's user may not ${right} in ${namespace}.`,
    })),
    {
      what: "a Service that has no selector",
      prepare: (pods) => pods.addService({ selector: undefined }),
      sentence: (namespace) => `${WAY}: the Service ${namespace}/attic has no selector, and so no pods.`,
    },
  ];
  for (const { what, prepare, options, sentence } of refused) {
    it(`ends an update at once, in one sentence, with ${what}`, async () => {
      const pods = await place();
      await prepare?.(pods);
      const stack = await open(pods, 1, await options?.(pods));
      const run = await stack.up();
      assert.deepEqual(errorsOf(run), [`error: ${sentence(pods.namespace)}`]);
    });
  }

  slow(
    "ends an update after a minute or so, in one sentence, without a Service, a ready pod, or a cluster",
    async () => {
      const pods = await place();
      const empty = await place();
      await empty.addService();
      const gone = kubeconfig.replace(
        /https:\/\/127\.0\.0\.1:\d+/,
        `https://127.0.0.1:${await anyFreePort()}`,
      );
      const runs = await Promise.all([
        open(pods, 1).then((stack) => stack.up()),
        open(empty, 1).then((stack) => stack.up()),
        open(pods, 1, { config: { "kubernetes:kubeconfig": gone } }).then((stack) => stack.up()),
      ]);
      const failed = (of: Pods, reason: string) =>
        `error: POST ${ENDPOINT}_api/v1/cache-config/${of.namespace}-0 failed 9 times, the last time because ${reason}`;
      assert.deepEqual(runs.flatMap(errorsOf), [
        failed(pods, `the Service ${pods.namespace}/attic is not there`),
        failed(empty, `no pod of the Service ${empty.namespace}/attic is ready`),
        failed(pods, "the cluster's API failed: nobody listens there"),
      ]);
    },
  );
});
