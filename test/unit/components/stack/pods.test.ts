import assert from "node:assert/strict";
import { bytes, cores } from "../../../../components/settings/leaf.ts";
import { containersOf, find, type PodSpec, type Pods, workloadsOf } from "../../../support/objects.ts";
import { everyKind, nameOf, stackOf } from "../../../support/kinds.ts";
import { faults } from "../../../support/restricted.ts";

const pods = everyKind.map((kinds) => ({
  kinds: nameOf(kinds),
  all: async (): Promise<Pods[]> => workloadsOf((await stackOf(kinds)).resources),
}));

/** Runs a check over every pod of every kind, and says where it went wrong. */
async function eachPod(check: (spec: PodSpec, where: string) => void): Promise<void> {
  let count = 0;
  for (const { kinds, all } of pods) {
    for (const { resource, spec } of await all()) {
      check(spec.template.spec, `${resource} with ${kinds}`);
      count += 1;
    }
  }
  // Without a database 4 pods with Garage and 5 with MinIO, each in two ways, 3 and 2; with it one more in all six.
  const ofOneGateway = 2 * (2 * 4 + 2 * 5 + 3 + 2) + 6;
  assert.equal(count, 4 * ofOneGateway);
}

describe("every pod of a stack", () => {
  it("is as Pod Security restricted wants it, to the letter", async () => {
    await eachPod((spec, where) => {
      assert.deepEqual(faults(spec), [], where);
    });
  });

  it("has a root file system that cannot be written", async () => {
    await eachPod((spec, where) => {
      for (const { securityContext } of containersOf(spec))
        assert.equal(securityContext?.readOnlyRootFilesystem, true, where);
    });
  });

  it("has no token of a service account and no account of its own", async () => {
    await eachPod((spec, where) => {
      assert.equal(spec.automountServiceAccountToken, false, where);
      assert.equal(spec.serviceAccountName, undefined, where);
      assert.equal(spec.enableServiceLinks, false, where);
    });
  });

  it("asks for CPU and memory, may not use more memory than its limit, and asks for no more than that", async () => {
    await eachPod((spec, where) => {
      for (const { resources } of containersOf(spec)) {
        const { requests, limits } = resources as {
          requests: Record<string, string>;
          limits: Record<string, string>;
        };
        assert.ok(cores(requests.cpu!) > 0, where);
        assert.ok(bytes(requests.memory!) <= bytes(limits.memory!), where);
        assert.deepEqual(Object.keys(limits), ["memory"], where);
      }
    });
  });

  it("runs images that are pinned by digest", async () => {
    await eachPod((spec, where) => {
      for (const { image } of containersOf(spec)) assert.match(image!, /:[^@]+@sha256:[0-9a-f]{64}$/, where);
    });
  });

  it("mounts every volume that it has, and has every volume that it mounts", async () => {
    await eachPod((spec, where) => {
      const mounted = containersOf(spec).flatMap(({ volumeMounts = [] }) =>
        volumeMounts.map(({ name }) => name),
      );
      assert.deepEqual([...new Set(mounted)].sort(), spec.volumes?.map(({ name }) => name).sort(), where);
    });
  });

  it("mounts ConfigMaps, Secrets and claims of its own stack", async () => {
    for (const kinds of everyKind) {
      const { resources } = await stackOf(kinds);
      for (const { spec } of workloadsOf(resources)) {
        const pod = spec.template.spec;
        const names: [string, string | undefined][] = [
          ...(pod.volumes ?? []).flatMap((volume): [string, string | undefined][] => [
            ...(volume.configMap
              ? [["ConfigMap", volume.configMap.name] as [string, string | undefined]]
              : []),
            ...(volume.secret ? [["Secret", volume.secret.secretName] as [string, string | undefined]] : []),
            ...(volume.persistentVolumeClaim
              ? [
                  ["PersistentVolumeClaim", volume.persistentVolumeClaim.claimName] as [
                    string,
                    string | undefined,
                  ],
                ]
              : []),
          ]),
          ...containersOf(pod).flatMap(({ envFrom = [], env = [] }): [string, string | undefined][] => [
            ...envFrom.map(({ secretRef }): [string, string | undefined] => ["Secret", secretRef?.name]),
            ...env.flatMap(({ valueFrom }): [string, string | undefined][] =>
              valueFrom ? [["Secret", valueFrom.secretKeyRef?.name]] : [],
            ),
          ]),
        ];
        for (const [kind, name] of names) find(resources, kind, name!.replace(/-auto$/, ""));
      }
    }
  });
});

describe("the check for Pod Security restricted", () => {
  const right: PodSpec = {
    securityContext: { runAsNonRoot: true, seccompProfile: { type: "RuntimeDefault" } },
    containers: [
      { name: "a", securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ["ALL"] } } },
    ],
  };
  const changed: [string, PodSpec][] = [
    ["hostNetwork", { ...right, hostNetwork: true }],
    ["volume data", { ...right, volumes: [{ name: "data", hostPath: { path: "/" } }] }],
    ["a: runAsNonRoot", { ...right, securityContext: { seccompProfile: { type: "RuntimeDefault" } } }],
    ["a: seccompProfile", { ...right, securityContext: { runAsNonRoot: true } }],
    [
      "a: allowPrivilegeEscalation",
      { ...right, containers: [{ name: "a", securityContext: { capabilities: { drop: ["ALL"] } } }] },
    ],
    [
      "a: capabilities are not dropped",
      { ...right, containers: [{ name: "a", securityContext: { allowPrivilegeEscalation: false } }] },
    ],
  ];

  it("lets a right pod through", () => {
    assert.deepEqual(faults(right), []);
  });
  for (const [fault, spec] of changed) {
    it(`finds ${fault}`, () => {
      assert.deepEqual(faults(spec), [fault]);
    });
  }
});
