import assert from "node:assert/strict";
import { noSecretInPlainSight } from "../../../policy/rules/pods.ts";
import { everyKind, nameOf, stackOf } from "../../support/kinds.ts";
import { type Given, reported } from "../../support/policy.ts";

const END = "Put it into a Secret. See docs/policy.md#no-secret-in-plain-sight.";
const VALUE = "hunter2-in-confidence";
const KEY = `-----BEGIN RSA PRIVATE KEY-----\n${VALUE}\n-----END RSA PRIVATE KEY-----\n`;
const URL = `postgres://attic:${VALUE}@db/attic`;
const TOKEN = `eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJjaSJ9.${VALUE}`;
const base64 = (text: string): string => Buffer.from(text).toString("base64");

const configMap = (data: object): Given => ({ type: "kubernetes:core/v1:ConfigMap", props: { data } });
const deployment = (container: object, more: object = {}): Given => ({
  type: "kubernetes:apps/v1:Deployment",
  props: { spec: { template: { spec: { containers: [{ name: "app", ...container }] }, ...more } } },
});
const variable = (name: string, value: string): Given => deployment({ env: [{ name, value }] });

describe("the rule of no secret in plain sight", () => {
  const wrong: Record<string, [Given, string]> = {
    "a key in a ConfigMap": [configMap({ "key.pem": KEY }), "A private key stands in clear in data key.pem."],
    "a key of another form": [
      configMap({ k: KEY.replaceAll("RSA ", "") }),
      "A private key stands in clear in data k.",
    ],
    "a key in base64": [configMap({ k: base64(KEY) }), "A private key stands in clear in data k."],
    "a database's URL in a ConfigMap": [
      configMap({ "server.toml": `[database]\nurl = "${URL}"\n` }),
      "An address with a password stands in clear in data server.toml.",
    ],
    "a signing key in server.toml": [
      configMap({ "server.toml": `[jwt.signing]\ntoken-rs256-secret-base64 = "${VALUE}"\n` }),
      "A secret stands in clear in data server.toml.",
    ],
    "a store's key in server.toml": [
      configMap({ "server.toml": `[storage.credentials]\nsecret_access_key = "${VALUE}"\n` }),
      "A secret stands in clear in data server.toml.",
    ],
    "Garage's RPC secret in garage.toml": [
      configMap({ "garage.toml": `rpc_secret = '${VALUE}'\n` }),
      "A secret stands in clear in data garage.toml.",
    ],
    "a token in a ConfigMap": [configMap({ token: TOKEN }), "A token stands in clear in data token."],
    "a database's URL in a variable": [
      variable("ATTIC_SERVER_DATABASE_URL", URL),
      "An address with a password stands in clear in the variable ATTIC_SERVER_DATABASE_URL of container app.",
    ],
    "a configuration in base64 in a variable": [
      variable("ATTIC_SERVER_CONFIG_BASE64", base64(`[database]\nurl = "${URL}"\n`)),
      "An address with a password stands in clear in the variable ATTIC_SERVER_CONFIG_BASE64 of container app.",
    ],
    "a URL among the arguments": [
      deployment({ args: ["--database", URL] }),
      "An address with a password stands in clear in the arguments of container app.",
    ],
    "a URL in the command": [
      deployment({ command: ["psql", URL] }),
      "An address with a password stands in clear in the arguments of container app.",
    ],
    "a variable of an init container": [
      {
        type: "kubernetes:apps/v1:StatefulSet",
        props: {
          spec: {
            template: { spec: { initContainers: [{ name: "init", env: [{ name: "X", value: KEY }] }] } },
          },
        },
      },
      "A private key stands in clear in the variable X of container init.",
    ],
    "a variable of a bare pod": [
      {
        type: "kubernetes:core/v1:Pod",
        props: { spec: { containers: [{ name: "app", env: [{ name: "PGPASSWORD", value: VALUE }] }] } },
      },
      "A secret stands in clear in the variable PGPASSWORD of container app.",
    ],
    "a variable of a CronJob": [
      {
        type: "kubernetes:batch/v1:CronJob",
        props: {
          spec: {
            jobTemplate: { spec: { template: { spec: { containers: [{ name: "app", args: [TOKEN] }] } } } },
          },
        },
      },
      "A token stands in clear in the arguments of container app.",
    ],
    "an annotation of a pod": [
      deployment({}, { metadata: { annotations: { note: URL } } }),
      "An address with a password stands in clear in template annotation note.",
    ],
    "an annotation of anything": [
      {
        type: "kubernetes:core/v1:Service",
        props: { metadata: { annotations: { "example.com/token": TOKEN } } },
      },
      "A token stands in clear in annotation example.com/token.",
    ],
    "an annotation of a bare pod, once": [
      { type: "kubernetes:core/v1:Pod", props: { metadata: { annotations: { note: URL } } } },
      "An address with a password stands in clear in annotation note.",
    ],
  };
  for (const name of [
    "AWS_SECRET_ACCESS_KEY",
    "ATTIC_SERVER_TOKEN_HS256_SECRET_BASE64",
    "ATTIC_SERVER_TOKEN_RS256_SECRET_BASE64",
    "POSTGRES_PASSWORD",
    "PGPASSWORD",
    "MINIO_ROOT_PASSWORD",
    "GARAGE_RPC_SECRET",
    "GARAGE_ADMIN_TOKEN",
    "GARAGE_DEFAULT_SECRET_KEY",
  ]) {
    wrong[`the variable ${name}`] = [
      variable(name, VALUE),
      `A secret stands in clear in the variable ${name} of container app.`,
    ];
    wrong[`the data ${name}`] = [configMap({ [name]: VALUE }), `A secret stands in clear in data ${name}.`];
  }
  for (const [what, [resource, place]] of Object.entries(wrong)) {
    it(`refuses ${what}, and does not say the value`, async () => {
      const messages = await reported(noSecretInPlainSight, resource);
      assert.deepEqual(messages, [`${place} ${END}`]);
      assert.ok(!messages[0]!.includes(VALUE));
    });
  }

  const right: Record<string, Given> = {
    "all of it in a Secret": {
      type: "kubernetes:core/v1:Secret",
      props: { stringData: { ATTIC_SERVER_DATABASE_URL: URL, "tls.key": KEY, PGPASSWORD: VALUE, TOKEN } },
    },
    "a variable from a Secret": deployment({
      env: [{ name: "PGPASSWORD", valueFrom: { secretKeyRef: { name: "a", key: "b" } } }],
      envFrom: [{ secretRef: { name: "a" } }],
    }),
    "a password's file": variable("POSTGRES_PASSWORD_FILE", "/etc/postgres/password"),
    "an empty password": variable("PGPASSWORD", ""),
    "a public key and a certificate": configMap({
      "key.pub": "-----BEGIN PUBLIC KEY-----\nMIIB\n-----END PUBLIC KEY-----\n",
      "ca.crt": "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n",
    }),
    "addresses without a password": configMap({
      a: "https://cache.example.com/",
      b: "postgres://attic@db:5432/attic",
      c: "http://store:3900",
    }),
    "an address in one line and a mail address in another": configMap({
      a: "https://example.com:443\nroot@example.com",
    }),
    "a public key of Nix": configMap({ key: "cache.example.com-1:dGhpcyBpcyBub3QgYSBzZWNyZXQgYXQgYWxsISE=" }),
    "what is not known yet": { type: "kubernetes:apps/v1:Deployment", props: {} },
    "containers that are not known yet": {
      type: "kubernetes:apps/v1:Deployment",
      props: { spec: { template: {} } },
    },
    "a variable that is not known yet": deployment({ env: [{ name: "PGPASSWORD" }, {}] }),
    "data that are not known yet": { type: "kubernetes:core/v1:ConfigMap", props: {} },
    "data that are no texts": configMap({ a: 1, b: null }),
    "a resource that is not Kubernetes'": {
      type: "random:index/randomPassword:RandomPassword",
      props: { data: { PGPASSWORD: VALUE }, metadata: { annotations: { a: KEY } } },
    },
  };
  for (const [what, resource] of Object.entries(right)) {
    it(`lets through ${what}`, async () => {
      assert.deepEqual(await reported(noSecretInPlainSight, resource), []);
    });
  }

  it("says every place", async () => {
    const resource = deployment({
      env: [
        { name: "A", value: URL },
        { name: "B", value: KEY },
      ],
      args: [TOKEN],
    });
    assert.equal((await reported(noSecretInPlainSight, resource)).length, 3);
  });

  it("is mandatory", () => {
    assert.equal(noSecretInPlainSight.enforcementLevel, "mandatory");
  });

  for (const kinds of everyKind) {
    it(`lets the stack through: ${nameOf(kinds)}`, async () => {
      const { resources } = await stackOf(kinds);
      for (const { type, name, inputs } of resources)
        assert.deepEqual(await reported(noSecretInPlainSight, { type, name, props: inputs }), [], name);
    });
  }
});

describe("the pack", () => {
  it("lists every rule, each with a name and a text of its own", async () => {
    const { policies } = await import("../../../policy/rules/index.ts");
    assert.deepEqual(
      policies.map(({ name }) => name),
      ["one-garbage-collector", "no-secret-in-plain-sight"],
    );
    assert.equal(new Set(policies.map(({ description }) => description)).size, 2);
  });
});
