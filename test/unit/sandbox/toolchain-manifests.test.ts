import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { UserError } from "../../../sandbox/support/user-error.ts";
import { provideManifests } from "../../../sandbox/toolchain/index.ts";
import { definitionsIn } from "../../../sandbox/toolchain/manifests.ts";
import { FakeMachine } from "../../support/fake-releases.ts";

describe("toolchain manifests", () => {
  let machine: FakeMachine;

  beforeEach(async () => {
    machine = new FakeMachine();
    await machine.start();
  });

  afterEach(async () => {
    await machine.stop();
  });

  it("says in a sentence what to do where they can be had in no way", async () => {
    await assert.rejects(provideManifests(machine.progress()), (error: Error) => {
      assert.ok(error instanceof UserError);
      assert.match(
        error.message,
        /^The custom resource definitions of gateway-api v1\.6\.1 can neither be downloaded \(.*\) nor taken from their Go module \(there is no Go on PATH\): allow the download, or install Go from https:\/\/go\.dev\/dl\.$/u,
      );
      return true;
    });
    assert.equal(existsSync(machine.cache), true);
  });

  it("refuses files that are not those of the version", async () => {
    const base = "https://raw.githubusercontent.com/kubernetes-sigs/gateway-api/v1.6.1/config/crd/standard";
    machine.on(`${base}/gateway.networking.k8s.io_backendtlspolicies.yaml`, (_request, response) =>
      response.end("kind: CustomResourceDefinition"),
    );
    await assert.rejects(provideManifests(machine.progress()), /has the SHA-256 .* is published/u);
  });

  it("keeps of a definition all but the descriptions, also a field that is called description", () => {
    const text = `
kind: CustomResourceDefinition
metadata: {name: things.example.org}
spec:
  description: goes
  properties:
    description: {type: string, description: goes}
---
kind: ClusterRole
metadata: {name: not-a-definition}
`;
    assert.deepEqual(definitionsIn(text), [
      {
        kind: "CustomResourceDefinition",
        metadata: { name: "things.example.org" },
        spec: { properties: { description: { type: "string" } } },
      },
    ]);
  });
});
