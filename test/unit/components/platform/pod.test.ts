import assert from "node:assert/strict";
import {
  resourceRequirements,
  restrictedContainer,
  restrictedPod,
} from "../../../../components/platform/index.ts";
import { faults } from "../../../support/restricted.ts";
import type { PodSpec } from "../../../support/objects.ts";

describe("a restricted pod", () => {
  it("is what Pod Security restricted admits, with nothing said about it", () => {
    const pod = restrictedPod(65532, { containers: [restrictedContainer({ name: "a" })] });
    assert.deepEqual(faults(pod as PodSpec), []);
  });

  it("runs as one user and group, to which its volumes belong", () => {
    assert.deepEqual(restrictedPod(999, { containers: [] }).securityContext, {
      runAsNonRoot: true,
      runAsUser: 999,
      runAsGroup: 999,
      fsGroup: 999,
      fsGroupChangePolicy: "OnRootMismatch",
      seccompProfile: { type: "RuntimeDefault" },
    });
  });

  it("keeps what is said about it", () => {
    const pod = restrictedPod(1, { containers: [], restartPolicy: "Never" });
    assert.equal(pod.restartPolicy, "Never");
    assert.equal(pod.automountServiceAccountToken, false);
  });
});

describe("requests and limits", () => {
  it("have no limit of CPU where none is set", () => {
    assert.deepEqual(resourceRequirements({ cpu: "1", memory: "1Gi", memoryLimit: "2Gi" }), {
      requests: { cpu: "1", memory: "1Gi" },
      limits: { memory: "2Gi" },
    });
  });

  it("have the limit of CPU that is set", () => {
    assert.deepEqual(resourceRequirements({ cpu: "1", cpuLimit: "2", memory: "1Gi", memoryLimit: "2Gi" }), {
      requests: { cpu: "1", memory: "1Gi" },
      limits: { memory: "2Gi", cpu: "2" },
    });
  });
});
