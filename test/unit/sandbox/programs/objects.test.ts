import assert from "node:assert/strict";
import { atticMode, needsMigrations } from "../../../../sandbox/programs/kinds/attic.ts";
import { kindOf } from "../../../../sandbox/programs/kinds/index.ts";
import {
  type Container,
  hasStableName,
  imageOf,
  isOfJob,
  isPlaced,
  type Pod,
  workloadOf,
} from "../../../../sandbox/programs/objects.ts";

const owned = (kind: string, name: string, labels: Record<string, string> = {}): Pod => ({
  metadata: {
    name: "pod-name",
    namespace: "attic",
    labels,
    ownerReferences: [{ apiVersion: "v1", kind, name, uid: "u", controller: true }],
  },
});

describe("an image's reference", () => {
  for (const [image, name, tag] of [
    ["postgres", "postgres", ""],
    ["postgres:18.4@sha256:abc", "postgres", "18.4"],
    ["docker.io/library/postgres:17-alpine", "postgres", "17-alpine"],
    ["registry.example.com:5000/mirror/garage", "garage", ""],
    ["registry.example.com:5000/mirror/garage:v2", "garage", "v2"],
  ] as const) {
    it(`${image} is ${name} of ${tag === "" ? "no tag" : tag}`, () => {
      assert.deepEqual(imageOf({ name: "main", image }), { name, tag });
    });
  }
});

describe("a container", () => {
  const container = (image: string, ...args: string[]): Container => ({ name: "main", image, args });

  for (const [what, given, kind] of [
    ["PostgreSQL's image", container("docker.io/library/postgres:18"), "postgres"],
    ["Garage", container("dxflrs/garage:v2", "server"), "s3"],
    ["SILO's server", container("docker.io/pgsty/silo:R", "server", "/data"), "s3"],
    [
      "SILO's client that makes a bucket",
      { ...container("pgsty/silo"), command: ["mcli", "mb", "a/b"] },
      "bucket",
    ],
    ["Attic's server", container("ghcr.io/zhaofengli/attic:x", "--mode", "api-server"), "attic"],
    [
      "Attic's server in an image of another name",
      container("example.org/cache", "--mode=monolithic"),
      "attic",
    ],
    ["another use of SILO's client", { ...container("pgsty/silo"), command: ["mcli", "ls"] }, undefined],
    ["Garage's own client", container("dxflrs/garage:v2", "status"), undefined],
    ["a program with a mode of its own", container("example.org/x", "--mode", "fast"), undefined],
    ["PostgreSQL's operator", container("ghcr.io/cloudnative-pg/postgresql:18"), undefined],
    ["anything else", container("example.org/none"), undefined],
  ] as const) {
    it(`is played as ${kind ?? "nothing"} where it is ${what}`, () => {
      assert.equal(kindOf(given as Container)?.name, kind);
    });
  }

  it("of Attic waits for migrations in every mode but that of the migrations", () => {
    const modes = ["api-server", "garbage-collector", "monolithic", "db-migrations", "none"];
    const waiting = modes.filter((mode) => needsMigrations(container("attic", "--mode", mode)));
    assert.deepEqual(waiting, ["api-server", "garbage-collector", "monolithic"]);
    assert.equal(atticMode(container("attic", "--mode")), undefined);
  });
});

describe("a pod", () => {
  it("belongs to the Deployment, StatefulSet or Job that keeps it, or to nothing but itself", () => {
    const hash = { "pod-template-hash": "5955b8555c" };
    assert.equal(workloadOf(owned("ReplicaSet", "attic-5955b8555c", hash)), "attic");
    assert.equal(workloadOf(owned("ReplicaSet", "by-hand")), "by-hand");
    assert.equal(workloadOf(owned("StatefulSet", "attic-postgres")), "attic-postgres");
    assert.equal(workloadOf(owned("Job", "attic-migrations")), "attic-migrations");
    assert.equal(workloadOf({ metadata: { name: "alone" } }), "alone");
  });

  it("comes again under its name where a StatefulSet keeps it or somebody made it himself", () => {
    const pods = [
      owned("StatefulSet", "a"),
      { metadata: { name: "a" } },
      owned("ReplicaSet", "a"),
      owned("Job", "a"),
    ];
    assert.deepEqual(pods.map(hasStableName), [true, true, false, false]);
    assert.deepEqual(pods.map(isOfJob), [false, false, false, true]);
  });

  it("would run where it has been given a node and is not being deleted", () => {
    const spec = { containers: [], nodeName: "node-a" };
    assert.equal(isPlaced({ spec }), true);
    assert.equal(isPlaced({ spec: { containers: [] } }), false);
    assert.equal(isPlaced({ spec, metadata: { deletionTimestamp: "2026-11-21T08:00:00Z" } }), false);
  });
});
