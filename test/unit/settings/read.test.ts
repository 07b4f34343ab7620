import assert from "node:assert/strict";
import pulumi from "@pulumi/pulumi";
import { keypairOf, readSettings } from "../../../components/settings/index.ts";
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

/** Of RFC 8032, section 7.1, test 1. */
const KEYPAIR = `main-1:${Buffer.from(
  "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
  "hex",
).toString("base64")}`;
const PROVISION = "test/unit/attic/provision-example.yaml";

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

  it("gives the signing key that a cache brings, secret, and none for the others", async () => {
    const cacheKeypairs = JSON.stringify({ main: KEYPAIR });
    const file = content({ caches: [{ name: "main" }, { name: "other" }], cacheKeypairs });
    const { result } = await read(file, ["cacheKeypairs"]);
    assert.deepEqual(result.cachesWithKeypair, new Set(["main"]));
    assert.deepEqual(await valueOf(keypairOf(result, "main")!), { value: KEYPAIR, secret: true });
    assert.equal(keypairOf(result, "other"), undefined);
    assert.equal(keypairOf(result, "constructor"), undefined);
  });

  it("reads the file of attic-provision that stands in the project, and warns of what it does not use", async () => {
    const { result, warnings } = await read(content({ provision: PROVISION }));
    assert.deepEqual(
      result.caches.map(({ name }) => name),
      ["my-project", "shared"],
    );
    assert.deepEqual(warnings, [
      `${PROVISION}:4:1: admin_token is not used, because the stack signs its own tokens. Take it out; if it is a token of this stack's server, let the stack make a new signing key.`,
      `${PROVISION}:3:13: server_url names attic-server.infrastructure.svc.cluster.local, but this stack's server is cache.example.com: its caches and tokens are made there, and server_url is not used. Set it to https://cache.example.com or leave it out.`,
    ]);
  });

  it("ends a run where that file is not there", async () => {
    await assert.rejects(
      read(content({ provision: "none.yaml" })),
      /attic-stack:provision\n {6}found: {3}"none.yaml", a file that is not there\n/,
    );
  });
});
