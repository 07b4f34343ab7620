import assert from "node:assert/strict";
import type { Container, Pod } from "../../../../sandbox/programs/objects.ts";
import { environmentOf, expand, type Sources } from "../../../../sandbox/programs/environment.ts";
import { Fault, NotYet } from "../../../../sandbox/programs/objects.ts";

const data = (entries: Record<string, string>) =>
  new Map(Object.entries(entries).map(([key, value]) => [key, Buffer.from(value)]));

const sources: Sources = {
  secrets: new Map([["keys", data({ USER: "attic", PASSWORD: "pa$$word" })]]),
  configMaps: new Map([["settings", data({ LEVEL: "info", USER: "other" })]]),
};
const pod = {
  metadata: { name: "attic-0", namespace: "attic", uid: "u-1", labels: { app: "attic" } },
  spec: { containers: [], nodeName: "node-a" },
  status: { podIP: "10.1.2.3" },
} as Pod;

function environment(container: Partial<Container>): Record<string, string> {
  return environmentOf({ name: "main", ...container }, pod, sources);
}

describe("the environment of a container", () => {
  it("holds what its Secrets and ConfigMaps have, with a prefix, and later ones win", () => {
    const envFrom = [
      { secretRef: { name: "keys" } },
      { configMapRef: { name: "settings" } },
      { prefix: "DB_", secretRef: { name: "keys" } },
    ];
    assert.deepEqual(environment({ envFrom }), {
      USER: "other",
      PASSWORD: "pa$$word",
      LEVEL: "info",
      DB_USER: "attic",
      DB_PASSWORD: "pa$$word",
    });
  });

  it("has its own variables over those, and in them what stands before them", () => {
    const env = [
      { name: "USER", value: "mine" },
      { name: "URL", value: "postgres://$(USER):$(PASSWORD)@db/$$(USER)?$(LATER)" },
      { name: "LATER", value: "x" },
      { name: "EMPTY" },
    ];
    assert.deepEqual(environment({ env, envFrom: [{ secretRef: { name: "keys" } }] }), {
      USER: "mine",
      PASSWORD: "pa$$word",
      URL: "postgres://mine:pa$$word@db/$(USER)?$(LATER)",
      LATER: "x",
      EMPTY: "",
    });
  });

  it("takes single keys and what the pod itself is", () => {
    const field = (fieldPath: string) => ({ fieldRef: { fieldPath } });
    const env = [
      { name: "A", valueFrom: { secretKeyRef: { name: "keys", key: "PASSWORD" } } },
      { name: "B", valueFrom: { configMapKeyRef: { name: "settings", key: "LEVEL" } } },
      { name: "C", valueFrom: field("metadata.name") },
      { name: "D", valueFrom: field("status.podIP") },
      { name: "E", valueFrom: field("metadata.labels['app']") },
      { name: "F", valueFrom: field("metadata.annotations['none']") },
    ];
    const wanted = { A: "pa$$word", B: "info", C: "attic-0", D: "10.1.2.3", E: "attic", F: "" };
    assert.deepEqual(environment({ env }), wanted);
  });

  it("waits for a Secret, a ConfigMap or a key that is missing, and names it and no value", () => {
    const cases: [Partial<Container>, string][] = [
      [{ envFrom: [{ secretRef: { name: "none" } }] }, "Secret none does not exist"],
      [{ envFrom: [{ configMapRef: { name: "none" } }] }, "ConfigMap none does not exist"],
      [
        { env: [{ name: "A", valueFrom: { secretKeyRef: { name: "keys", key: "TOKEN" } } }] },
        "Secret keys has no key TOKEN, which the variable A is made of",
      ],
      [
        { env: [{ name: "A", valueFrom: { configMapKeyRef: { name: "settings", key: "X" } } }] },
        "ConfigMap settings has no key X, which the variable A is made of",
      ],
    ];
    for (const [container, message] of cases)
      assert.throws(() => environment(container), new NotYet(message));
  });

  it("leaves out what may be missing and is", () => {
    const env = [
      { name: "A", valueFrom: { secretKeyRef: { name: "keys", key: "TOKEN", optional: true } } },
      { name: "B", valueFrom: { configMapKeyRef: { name: "none", key: "X", optional: true } } },
    ];
    assert.deepEqual(environment({ env, envFrom: [{ secretRef: { name: "none", optional: true } }] }), {});
  });

  it("refuses what the sandbox does not know instead of leaving it out", () => {
    const unknown = [
      { resourceFieldRef: { resource: "limits.cpu" } },
      { fieldRef: { fieldPath: "metadata.generation" } },
    ];
    for (const valueFrom of unknown)
      assert.throws(() => environment({ env: [{ name: "A", valueFrom }] }), Fault);
  });
});

describe("a reference to a variable", () => {
  it("is replaced once, and no name that objects have by themselves is known", () => {
    assert.equal(
      expand("$(A)-$(B)-$$$(A)-$(toString)-$", { A: "$(B)", B: "b" }),
      "$(B)-b-$$(B)-$(toString)-$",
    );
  });
});
