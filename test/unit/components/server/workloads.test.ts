import assert from "node:assert/strict";
import {
  container,
  containersOf,
  find,
  ofKind,
  variables,
  workload,
  workloadsOf,
} from "../../../support/objects.ts";
import { everyKind, nameOf, stackOf } from "../../../support/kinds.ts";
import { tomlOf } from "../../../support/values.ts";

/** The mode of a container of Attic. */
const modeOf = (args: readonly string[] = []): string | undefined => args[args.indexOf("--mode") + 1];

describe("Attic's garbage collector", () => {
  for (const kinds of everyKind) {
    it(`runs once: ${nameOf(kinds)}`, async () => {
      const { resources } = await stackOf(kinds, kinds.store === "volume" ? {} : { server: { replicas: 5 } });
      const attic = workloadsOf(resources).flatMap(({ kind, resource, spec }) =>
        containersOf(spec.template.spec)
          .filter(({ image }) => image!.includes("/attic:"))
          .map(({ args }) => ({ kind, resource, replicas: spec.replicas, mode: modeOf(args) })),
      );
      const name = kinds.store === "volume" ? "attic" : "attic-collector";
      assert.deepEqual(
        attic.filter(({ mode }) => mode === "garbage-collector"),
        [{ kind: "StatefulSet", resource: name, replicas: 1, mode: "garbage-collector" }],
      );
      assert.deepEqual(attic.map(({ mode }) => mode).sort(), [
        "api-server",
        "db-migrations",
        "garbage-collector",
      ]);
    });
  }

  it("has the resources that are set for it, and no probes", async () => {
    const { resources } = await stackOf(
      {},
      { server: { garbageCollection: { resources: { memoryLimit: "4Gi" } } } },
    );
    const { spec } = workload(resources, "StatefulSet", "attic-collector").spec.template;
    const collector = container(spec, "garbage-collector");
    assert.deepEqual(collector.resources, {
      requests: { cpu: "50m", memory: "128Mi" },
      limits: { memory: "4Gi" },
    });
    assert.deepEqual(
      [collector.startupProbe, collector.readinessProbe, collector.livenessProbe],
      [undefined, undefined, undefined],
    );
  });
});

describe("Attic's servers", () => {
  it("are rolled without one less than there should be", async () => {
    const { resources } = await stackOf({});
    assert.deepEqual(workload(resources, "Deployment", "attic").spec.strategy, {
      type: "RollingUpdate",
      rollingUpdate: { maxSurge: 1, maxUnavailable: 0 },
    });
  });

  it("are neither spread nor guarded where there is one", async () => {
    const { resources } = await stackOf({});
    const { spec } = workload(resources, "Deployment", "attic");
    assert.equal(spec.replicas, 1);
    assert.equal(spec.template.spec.topologySpreadConstraints, undefined);
    assert.equal(ofKind(resources, "PodDisruptionBudget").length, 0);
  });

  it("are spread over nodes and zones and go one at a time where there are several", async () => {
    const { resources } = await stackOf({}, { server: { replicas: 2 } });
    const { spec } = workload(resources, "Deployment", "attic");
    assert.equal(spec.replicas, 2);
    const labelSelector = spec.selector;
    assert.deepEqual(
      spec.template.spec.topologySpreadConstraints,
      ["kubernetes.io/hostname", "topology.kubernetes.io/zone"].map((topologyKey) => ({
        maxSkew: 1,
        topologyKey,
        whenUnsatisfiable: "ScheduleAnyway",
        labelSelector,
        matchLabelKeys: ["pod-template-hash"],
      })),
    );
    const [budget] = ofKind<{ spec: object }>(resources, "PodDisruptionBudget");
    assert.deepEqual(budget!.spec, { maxUnavailable: 1, selector: labelSelector });
  });

  it("mount a configuration by a made-up name, so that a change of it rolls them", async () => {
    const { resources } = await stackOf({});
    for (const [kind, name] of [
      ["Deployment", "attic"],
      ["StatefulSet", "attic-collector"],
    ] as const) {
      const volume = workload(resources, kind, name).spec.template.spec.volumes!.find(
        (one) => one.name === "config",
      );
      assert.deepEqual(volume?.configMap, { name: "attic-config-auto" }, name);
    }
  });
});

describe("Attic's migrations", () => {
  for (const kinds of everyKind) {
    it(`run before the servers and the collector and after the database: ${nameOf(kinds)}`, async () => {
      const { resources } = await stackOf(kinds);
      const job = find(resources, "Job", "attic-migrations");
      const waiting = resources.filter(({ dependencies }) => dependencies.includes(job.urn));
      assert.deepEqual(
        workloadsOf(waiting)
          .map(({ resource }) => resource)
          .sort(),
        kinds.store === "volume" ? ["attic"] : ["attic", "attic-collector"],
      );
      if (kinds.database === "postgres")
        assert.ok(job.dependencies.includes(find(resources, "StatefulSet", "attic-postgres").urn));
    });
  }

  it("are a Job that ends, and that is not made anew by a change of server.toml", async () => {
    const before = workload((await stackOf({})).resources, "Job", "attic-migrations");
    const after = workload(
      (await stackOf({}, { server: { replicas: 3, compression: { type: "xz" }, softDeleteCaches: true } }))
        .resources,
      "Job",
      "attic-migrations",
    );
    assert.deepEqual(after, before);
    assert.equal(before.spec.template.spec.restartPolicy, "Never");
    assert.equal(before.metadata.name, undefined);
  });

  it("are made anew by another image", async () => {
    const image = "ghcr.io/zhaofengli/attic:newer";
    const { resources } = await stackOf({}, { server: { image } });
    const { spec } = workload(resources, "Job", "attic-migrations").spec.template;
    assert.equal(container(spec, "db-migrations").image, image);
  });

  it("are told as little as Attic wants to hear, with no file", async () => {
    const { resources } = await stackOf({});
    const { spec } = workload(resources, "Job", "attic-migrations").spec.template;
    const migrations = container(spec, "db-migrations");
    assert.deepEqual(migrations.args, ["--mode", "db-migrations"]);
    const { ATTIC_SERVER_CONFIG_BASE64: config, ...rest } = variables(migrations);
    assert.deepEqual(Object.keys(rest), ["RUST_LOG", "HOME"]);
    assert.deepEqual(tomlOf(Buffer.from(config!, "base64").toString()), {
      database: {},
      storage: { type: "local", path: "/tmp" },
      chunking: { "nar-size-threshold": 0, "min-size": 16_384, "avg-size": 65_536, "max-size": 262_144 },
    });
  });

  it("end before the engine stops waiting for them", async () => {
    const { resources } = await stackOf({});
    const { spec } = workload(resources, "Job", "attic-migrations");
    assert.ok((spec as { activeDeadlineSeconds?: number }).activeDeadlineSeconds! < 600);
  });
});
