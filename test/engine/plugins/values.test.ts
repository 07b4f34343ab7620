import assert from "node:assert/strict";
import random from "@pulumi/random";
import tls from "@pulumi/tls";
import { PluginStack } from "./plugin-stack.ts";

describe("the random and tls plugins", () => {
  it("make secret values once, and new ones where an input changes", async () => {
    let length = 20;
    const stack = await PluginStack.open("plugin-values", () => {
      const password = new random.RandomPassword("password", { length, special: false });
      const key = new tls.PrivateKey("key", { algorithm: "RSA" });
      const certificate = new tls.SelfSignedCert("certificate", {
        privateKeyPem: key.privateKeyPem,
        subject: { commonName: "attic" },
        validityPeriodHours: 24,
        allowedUses: ["server_auth"],
      });
      return Promise.resolve({
        password: password.result,
        key: key.privateKeyPem,
        certificate: certificate.certPem,
      });
    });
    assert.deepEqual((await stack.preview()).steps, ["create certificate", "create key", "create password"]);
    const first = await stack.up();
    assert.deepEqual(
      Object.entries(first.outputs).map(([name, { secret }]) => [name, secret]),
      [
        ["password", true],
        ["key", true],
        ["certificate", false],
      ].sort(([a = ""], [b = ""]) => (a < b ? -1 : 1)),
    );
    const second = await stack.up();
    assert.deepEqual([second.steps, second.outputs], [[], first.outputs]);
    length = 30;
    const third = await stack.up();
    assert.deepEqual([third.steps, third.changed], [["replace password"], { password: ["length"] }]);
    assert.match(String(third.outputs.password?.value), /^[A-Za-z0-9]{30}$/);
    assert.equal(third.outputs.key?.value, first.outputs.key?.value);
    await stack.destroy();
  });

  it("name a type that they do not play", async () => {
    const stack = await PluginStack.open("plugin-unplayed", () => {
      new random.RandomPet("pet");
      return Promise.resolve();
    });
    const { ok, errors } = await stack.preview();
    assert.equal(ok, false);
    assert.match(errors.join("\n"), /does not play the resource type random:index\/randomPet:RandomPet/);
  });
});
