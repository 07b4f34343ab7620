import assert from "node:assert/strict";
import pulumi from "@pulumi/pulumi";
import { readSettings } from "../../../components/settings/index.ts";
import { deploy, valueOf } from "../../support/mocks.ts";
import {
  BUCKET,
  content,
  type Content,
  DATABASE_URL,
  raw,
  settingsOf,
  STORE_SECRETS,
} from "../../support/stack-files.ts";

const read = (file: Content, secretKeys: string[] = []) =>
  deploy(readSettings, { stack: "lab", config: { ...raw(file).values }, secretKeys });

describe("reading the settings of a stack", () => {
  it("gives what the file says, with its defaults, and no secret that it does not hold", async () => {
    const { result } = await read(content());
    assert.deepEqual(result, { ...settingsOf(), secrets: {}, cachesWithKeypair: new Set() });
  });

  it("gives each secret as a secret Output", async () => {
    const file = content({
      database: { kind: "existing" },
      databaseUrl: DATABASE_URL,
      storage: BUCKET,
      ...STORE_SECRETS,
    });
    const { result } = await read(file, ["databaseUrl", ...Object.keys(STORE_SECRETS)]);
    const { databaseUrl, storageAccessKeyId, storageSecretAccessKey, ...more } = result.secrets;
    assert.deepEqual(more, {});
    assert.deepEqual(await valueOf(databaseUrl!), { value: DATABASE_URL, secret: true });
    assert.deepEqual(await valueOf(storageAccessKeyId!), {
      value: STORE_SECRETS.storageAccessKeyId,
      secret: true,
    });
    assert.deepEqual(await valueOf(storageSecretAccessKey!), {
      value: STORE_SECRETS.storageSecretAccessKey,
      secret: true,
    });
  });

  it("passes over the keys of other projects and of providers", async () => {
    const { result } = await deploy(
      () => {
        const config = pulumi.runtime.allConfig();
        pulumi.runtime.setAllConfig({
          ...config,
          "kubernetes:context": "lab",
          "attic-stack-2:namespace": "X",
        });
        return readSettings();
      },
      { config: { ...raw(content()).values } },
    );
    assert.deepEqual(result, { ...settingsOf(), secrets: {}, cachesWithKeypair: new Set() });
  });

  it("ends a run with all mistakes and without a stack trace where the file is wrong", async () => {
    await assert.rejects(read(content({ gateway: undefined, namespace: "X" })), (error) => {
      assert.ok(pulumi.RunError.isInstance(error));
      assert.equal(
        error.message,
        [
          "Pulumi.lab.yaml has 2 mistakes; nothing was changed.",
          "  attic-stack:namespace",
          '      found:   "X"',
          "      allowed: at most 63 of a-z, 0-9 and -, beginning and ending with a letter or digit, and neither default nor kube-...",
          "  attic-stack:gateway",
          "      found:   nothing",
          "      allowed: an object whose kind is gateway-api, traefik or nginx",
          "docs/settings.md describes every key.",
        ].join("\n"),
      );
      return true;
    });
  });

  it("takes a secret for plain where the engine does not say that it is one", async () => {
    const file = content({ database: { kind: "existing" }, databaseUrl: DATABASE_URL });
    await assert.rejects(read(file), /attic-stack:databaseUrl\n {6}found: {3}a plain value\n/);
  });
});
