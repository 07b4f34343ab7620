import assert from "node:assert/strict";
import { Platform } from "../../../../components/platform/index.ts";
import { deploy, valueOf } from "../../../support/mocks.ts";
import { find, type KubernetesObject } from "../../../support/objects.ts";
import { stackOf } from "../../../support/kinds.ts";

const ARGS = { namespace: "attic", gatewayNamespace: "traefik", gatewaySources: [], protectData: false };

describe("the platform", () => {
  it("enforces Pod Security restricted in its namespace, and says so", async () => {
    const { resources } = await stackOf({}, { namespace: "nix-cache" });
    const { metadata } = find(resources, "Namespace", "attic-namespace")
      .inputs as unknown as KubernetesObject;
    assert.equal(metadata.name, "nix-cache");
    assert.deepEqual(
      Object.entries(metadata.labels!).filter(([label]) => label.startsWith("pod-security.kubernetes.io/")),
      ["audit", "enforce", "warn"].map((mode) => [`pod-security.kubernetes.io/${mode}`, "restricted"]),
    );
  });

  it("is waited for by everything in the namespace", async () => {
    const { resources } = await stackOf({});
    const namespace = find(resources, "Namespace", "attic-namespace").urn;
    for (const { type, name, dependencies } of resources) {
      if (type.startsWith("kubernetes:") && name !== "attic-namespace")
        assert.ok(dependencies.includes(namespace), name);
    }
  });

  it("gives the name of its namespace and of its stack", async () => {
    const { result } = await deploy(() => new Platform("attic", ARGS), { stack: "home" });
    assert.deepEqual(await valueOf(result.namespace), { value: "attic", secret: false });
    assert.equal(result.namespaceName, "attic");
    assert.equal(result.gatewayNamespace, "traefik");
    assert.equal(result.instance, "home");
  });

  it("governs the directions of which something is said", async () => {
    const { resources } = await deploy(() => {
      const platform = new Platform("attic", ARGS);
      const role = { name: "a", component: "b" };
      platform.allow("in", { app: "a" }, { ingress: [] }, { role, parent: platform });
      platform.allow("out", { app: "a" }, { egress: [] }, { role, parent: platform });
      platform.allow("both", { app: "a" }, { ingress: [], egress: [] }, { role, parent: platform });
    });
    const types = (name: string) =>
      (find(resources, "NetworkPolicy", name).inputs.spec as { policyTypes: string[] }).policyTypes;
    assert.deepEqual(
      [types("in"), types("out"), types("both")],
      [["Ingress"], ["Egress"], ["Ingress", "Egress"]],
    );
  });
});
