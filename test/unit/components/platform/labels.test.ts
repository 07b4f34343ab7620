import assert from "node:assert/strict";
import { objectLabels, selectorLabels } from "../../../../components/platform/index.ts";

const ROLE = { name: "garage", component: "object-store" };

describe("labels", () => {
  it("of a selector are the three that never change", () => {
    assert.deepEqual(selectorLabels("lab", ROLE), {
      "app.kubernetes.io/name": "garage",
      "app.kubernetes.io/instance": "lab",
      "app.kubernetes.io/component": "object-store",
    });
  });

  it("of an object are those and who made it", () => {
    assert.deepEqual(objectLabels("lab", ROLE), {
      ...selectorLabels("lab", ROLE),
      "app.kubernetes.io/part-of": "attic-stack",
      "app.kubernetes.io/managed-by": "pulumi",
    });
  });

  it("tell two stacks and two parts of one apart", () => {
    assert.notDeepEqual(selectorLabels("lab", ROLE), selectorLabels("home", ROLE));
    assert.notDeepEqual(selectorLabels("lab", ROLE), selectorLabels("lab", { ...ROLE, component: "bucket" }));
  });
});
