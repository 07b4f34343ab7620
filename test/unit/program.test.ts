import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import pulumi from "@pulumi/pulumi";
import { parse as yaml } from "yaml";
import atticStack from "../../index.ts";
import { deployStack, type Stack } from "../support/kinds.ts";
import { deploy, PROJECT, valueOf } from "../support/mocks.ts";
import { content, type Content, DATABASE_URL, raw, STORE_SECRETS } from "../support/stack-files.ts";
import { dataOf } from "../support/objects.ts";

const root = (path: string): URL => new URL(`../../${path}`, import.meta.url);

/** What a stack's file of this repository says, without the project's name. */
function fileOf(stack: string): Content {
  const { config } = yaml(readFileSync(root(`Pulumi.${stack}.yaml`), "utf8")) as { config: Content };
  return Object.fromEntries(
    Object.entries(config).map(([key, value]) => {
      assert.ok(key.startsWith(`${PROJECT}:`), key);
      return [key.slice(PROJECT.length + 1), value];
    }),
  );
}

/** Every output, with what stands in it and whether it is secret. */
async function outputsOf({ result }: Stack): Promise<Record<string, unknown>> {
  const settled = Object.entries<unknown>({ ...result }).map(
    async ([name, value]): Promise<[string, unknown]> =>
      pulumi.Output.isInstance(value) ? [name, await valueOf(value)] : [name, value],
  );
  return Object.fromEntries(await Promise.all(settled));
}

describe("the program with Pulumi.lab.yaml", () => {
  it("gives these outputs, with its keys and passwords as secrets", async () => {
    const stack = await deployStack(fileOf("lab"), "lab");
    const environment = dataOf(stack.resources, "Secret", "attic-environment");
    const { server, tokenPublicKey, caches, tokens, tokensExpireAt, ...outputs } = await outputsOf(stack);
    assert.deepEqual(outputs, {
      namespace: { value: "attic", secret: false },
      apiEndpoint: "https://cache.lab.example.com/",
      tokenAlgorithm: "RS256",
      signingKey: { value: environment.ATTIC_SERVER_TOKEN_RS256_SECRET_BASE64, secret: true },
      databaseUrl: { value: environment.ATTIC_SERVER_DATABASE_URL, secret: true },
      databaseCa: {
        value: dataOf(stack.resources, "ConfigMap", "attic-database-ca")["ca.crt"],
        secret: false,
      },
      bucket: { name: "attic", region: "garage", endpoint: "https://s3.lab.example.com" },
    });
    const declared = fileOf("lab") as { caches: { name: string }[]; tokens: { name: string }[] };
    const names = declared.caches.map(({ name }) => name);
    const made = (caches as Stack["result"]["caches"]).map(({ name }) => valueOf(name));
    assert.deepEqual(
      await Promise.all(made),
      names.map((value) => ({ value, secret: false })),
    );
    for (const cache of caches as object[])
      assert.deepEqual(Object.keys(cache), ["name", "publicKey", "substituter", "isPublic"]);
    const called = declared.tokens.map(({ name }) => name);
    const { value, secret } = tokens as { value: object; secret: boolean };
    assert.deepEqual([Object.keys(value), secret], [called, true]);
    assert.deepEqual(Object.keys(tokensExpireAt as object), called);
    const { service, port } = server as Stack["result"]["server"];
    assert.deepEqual([await valueOf(service), port], [{ value: "attic", secret: false }, 80]);
    assert.equal((tokenPublicKey as { secret: boolean }).secret, false);
  });

  it("warns of nothing", async () => {
    assert.deepEqual((await deployStack(fileOf("lab"), "lab")).warnings, []);
  });
});

describe("the program with Pulumi.production.yaml", () => {
  const file = { ...fileOf("production"), databaseUrl: DATABASE_URL, ...STORE_SECRETS };

  it("gives these outputs once its secrets are set", async () => {
    const stack = await deployStack(file, "production");
    const { databaseUrl, bucket, apiEndpoint, signingKey } = await outputsOf(stack);
    assert.deepEqual(databaseUrl, { value: DATABASE_URL, secret: true });
    assert.deepEqual(bucket, { name: "example-nix-cache", region: "eu-central-1" });
    assert.equal(apiEndpoint, "https://cache.example.com/");
    assert.equal((signingKey as { secret: boolean }).secret, true);
  });

  it("asks for exactly the secrets that its head names while they are not set", async () => {
    await assert.rejects(deployStack(fileOf("production"), "production"), (error: Error) => {
      assert.deepEqual(
        [...error.message.matchAll(/^ {2}attic-stack:(\S+)$/gm)].map(([, key]) => key),
        ["databaseUrl", "storageAccessKeyId", "storageSecretAccessKey"],
      );
      return true;
    });
    const head = readFileSync(root("Pulumi.production.yaml"), "utf8");
    assert.deepEqual(
      [...head.matchAll(/^# +pulumi config set --secret (\S+) /gm)].map(([, key]) => key),
      ["databaseUrl", "storageAccessKeyId", "storageSecretAccessKey"],
    );
  });
});

describe("the program with other files", () => {
  it("has no bucket and no public key where there is none", async () => {
    const stack = await deployStack(
      content({ storage: { kind: "volume" }, server: { signingAlgorithm: "HS256" } }),
    );
    assert.deepEqual(Object.keys(stack.result).sort(), [
      "apiEndpoint",
      "caches",
      "databaseCa",
      "databaseUrl",
      "namespace",
      "server",
      "signingKey",
      "tokenAlgorithm",
      "tokens",
      "tokensExpireAt",
    ]);
  });

  it("ends with all mistakes of a wrong one and registers nothing", async () => {
    let registered = -1;
    const { values } = raw(content({ gateway: { kind: "treafik" }, server: { replicas: 0 }, extra: 1 }));
    await assert.rejects(
      deploy(
        () => {
          registered = 0;
          return atticStack();
        },
        {
          stack: "lab",
          config: values,
          onResource: () => {
            registered += 1;
          },
        },
      ),
      (error) => {
        assert.ok(pulumi.RunError.isInstance(error));
        assert.equal(error.message.split("\n")[0], "Pulumi.lab.yaml has 3 mistakes; nothing was changed.");
        for (const key of ["extra", "gateway.kind", "server.replicas"])
          assert.ok(error.message.includes(`\n  attic-stack:${key}\n`), key);
        return true;
      },
    );
    assert.equal(registered, 0);
  });
});

describe("the program itself", () => {
  it("is a plan of at most 80 lines", () => {
    assert.ok(readFileSync(root("index.ts"), "utf8").trimEnd().split("\n").length <= 80);
  });

  it("never loads @pulumi/aws or any SDK that the stack does not use", () => {
    const script = `
      import { createRequire } from "node:module";
      import { deployStack } from "./test/support/kinds.ts";
      import { content } from "./test/support/stack-files.ts";
      await deployStack(content());
      const loaded = Object.keys(createRequire(import.meta.url).cache);
      const names = loaded.map((path) => /node_modules\\/(@pulumi\\/[^/]+)\\//.exec(path)?.[1]);
      console.log(JSON.stringify([...new Set(names)].filter((name) => name !== undefined).sort()));
    `;
    const { stdout, stderr, status } = spawnSync(process.execPath, ["--input-type=module", "-e", script], {
      cwd: root(""),
      encoding: "utf8",
    });
    assert.equal(status, 0, stderr);
    assert.deepEqual(JSON.parse(stdout), [
      "@pulumi/kubernetes",
      "@pulumi/pulumi",
      "@pulumi/random",
      "@pulumi/tls",
    ]);
  });
});
