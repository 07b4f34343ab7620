import assert from "node:assert/strict";
import { objectLabels } from "../../../../components/platform/index.ts";

const version = (image: string) =>
  objectLabels("lab", { name: "attic", component: "server", image })["app.kubernetes.io/version"];
const DIGEST = `sha256:${"a".repeat(64)}`;

describe("the labels of what runs an image", () => {
  const cases: [image: string, version: string | undefined][] = [
    ["docker.io/library/postgres:18.4", "18.4"],
    [`docker.io/library/postgres:18.4@${DIGEST}`, "18.4"],
    ["docker.io/pgsty/silo:RELEASE.2026-09-16T00-00-00Z", "RELEASE.2026-09-16T00-00-00Z"],
    ["localhost:5000/attic:v1", "v1"],
    [`localhost:5000/attic@${DIGEST}`, undefined],
    [`ghcr.io/zhaofengli/attic@${DIGEST}`, undefined],
    [`ghcr.io/zhaofengli/attic:${"a".repeat(63)}`, "a".repeat(63)],
    [`ghcr.io/zhaofengli/attic:${"a".repeat(64)}`, undefined],
    ["ghcr.io/zhaofengli/attic:main_", undefined],
  ];
  for (const [image, expected] of cases) {
    it(`have ${expected ?? "no version"} for ${image.slice(0, 60)}`, () => {
      assert.equal(version(image), expected);
    });
  }

  it("say nothing of a version where there is no image", () => {
    const labels = objectLabels("lab", { name: "attic", component: "server" });
    assert.deepEqual(labels, {
      "app.kubernetes.io/name": "attic",
      "app.kubernetes.io/instance": "lab",
      "app.kubernetes.io/component": "server",
      "app.kubernetes.io/part-of": "attic-stack",
      "app.kubernetes.io/managed-by": "pulumi",
    });
  });
});
