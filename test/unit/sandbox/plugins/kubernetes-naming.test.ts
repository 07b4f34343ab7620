import assert from "node:assert/strict";
import {
  adoptName,
  assignName,
  awaitTimeout,
  deletionPropagation,
  isAutonamed,
  waitFor,
} from "../../../../sandbox/plugins/kubernetes/annotations.ts";
import type { KubeObject } from "../../../../sandbox/plugins/kubernetes/object.ts";
import type { CheckRequest } from "../../../../provider/protocol/provider.ts";
import { Unknown } from "../../../../provider/protocol/values.ts";

const urn = "urn:pulumi:dev::project::kubernetes:core/v1:ConfigMap::settings";

function request(change: Partial<CheckRequest> = {}): CheckRequest {
  const type = "kubernetes:core/v1:ConfigMap";
  return { urn, type, olds: {}, news: {}, randomSeed: new Uint8Array(), autonaming: undefined, ...change };
}

function object(metadata: KubeObject = {}): KubeObject {
  return { apiVersion: "v1", kind: "ConfigMap", metadata };
}

describe("the name of an object", () => {
  it("is made of the resource's name and eight hex digits, and marked", () => {
    const given = object();
    assignName(given, request());
    assert.match((given.metadata as { name: string }).name, /^settings-[0-9a-f]{8}$/);
    assert.ok(isAutonamed(given));
  });

  it("is the same for the same seed, and another for another resource", () => {
    const named = (change: Partial<CheckRequest>): string => {
      const given = object();
      assignName(given, request({ randomSeed: Buffer.from("seed"), ...change }));
      return (given.metadata as { name: string }).name.slice(-8);
    };
    assert.equal(named({}), named({}));
    assert.notEqual(named({}), named({ urn: urn.replace("settings", "other") }));
  });

  it("stays what the program says, also where that is not known yet", () => {
    for (const name of ["mine", new Unknown()]) {
      const given = object({ name });
      assignName(given, request());
      assert.deepEqual(given, object({ name }));
    }
  });

  it("follows the settings of autonaming", () => {
    const given = object();
    assignName(given, request({ autonaming: { proposed: "wanted" } }));
    assert.equal((given.metadata as { name: string }).name, "wanted");
    assert.throws(() => {
      assignName(object(), request({ autonaming: "disabled" }));
    }, /autonaming is disabled, resource requires the \.metadata\.name field to be set/);
  });

  it("is kept from the last update only where it was made up", () => {
    const old = object({ name: "settings-12345678", annotations: { "pulumi.com/autonamed": "true" } });
    const given = object({ annotations: { a: "b" } });
    adoptName(given, old);
    assert.deepEqual(
      given,
      object({ name: "settings-12345678", annotations: { a: "b", "pulumi.com/autonamed": "true" } }),
    );
    const named = object();
    adoptName(named, object({ name: "chosen" }));
    assert.deepEqual(named, object());
  });
});

describe("annotations", () => {
  const annotated = (key: string, value: string): KubeObject =>
    object({ annotations: { [`pulumi.com/${key}`]: value } });

  it("set the time to wait, where the resource's options do not", () => {
    assert.equal(awaitTimeout(0, object()), 600_000);
    assert.equal(awaitTimeout(0, annotated("timeoutSeconds", "30")), 30_000);
    assert.equal(awaitTimeout(5, annotated("timeoutSeconds", "30")), 5_000);
    assert.equal(awaitTimeout(0, annotated("timeoutSeconds", "soon")), 600_000);
  });

  it("choose what happens to owned objects", () => {
    assert.equal(deletionPropagation(object()), "Foreground");
    assert.equal(deletionPropagation(annotated("deletionPropagationPolicy", "background")), "Background");
    assert.equal(deletionPropagation(annotated("deletionPropagationPolicy", "Orphan")), "Orphan");
  });

  it("give one condition or a list of them", () => {
    assert.equal(waitFor(object()), undefined);
    assert.deepEqual(waitFor(annotated("waitFor", "condition=Ready")), ["condition=Ready"]);
    assert.deepEqual(waitFor(annotated("waitFor", '["condition=A","condition=B"]')), [
      "condition=A",
      "condition=B",
    ]);
  });
});
