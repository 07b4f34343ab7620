import assert from "node:assert/strict";
import { dataOf, kindOf } from "../../../support/objects.ts";
import { everyKind, nameOf, type Stack, stackOf } from "../../../support/kinds.ts";
import { openTexts } from "../../../support/values.ts";

/** Values that nobody may see, in every form in which they could stand somewhere. */
function confidential({ secretValues }: Stack): string[] {
  const values = new Set(secretValues.filter((value) => value.length >= 8));
  const parts = [...values].flatMap((value) => /:\/\/[^:]*:([^@]+)@/.exec(value)?.[1] ?? []);
  return [...values, ...parts].flatMap((value) => [
    value,
    Buffer.from(value).toString("base64").replace(/=+$/, ""),
    encodeURIComponent(value),
    JSON.stringify(value).slice(1, -1),
  ]);
}

for (const kinds of everyKind) {
  describe(`secrets with ${nameOf(kinds)}`, () => {
    it("stand in clear in no input of any resource", async () => {
      const stack = await stackOf(kinds);
      const values = confidential(stack);
      assert.ok(values.length >= 4);
      const leaks = stack.resources.flatMap(({ name, type, marked }) =>
        openTexts(marked)
          .filter(({ text }) => values.some((value) => text.includes(value)))
          .map(({ path }) => `${type} ${name}${path}`),
      );
      assert.deepEqual(leaks, []);
    });

    it("reach Kubernetes only in Secrets", async () => {
      const stack = await stackOf(kinds);
      const values = confidential(stack);
      const holders = stack.resources
        .filter(({ type }) => type.startsWith("kubernetes:"))
        .filter((resource) =>
          openTexts(resource.inputs).some(({ text }) => values.some((value) => text.includes(value))),
        );
      for (const holder of holders) assert.equal(kindOf(holder), "Secret", holder.name);
      const secrets = stack.resources.filter((resource) => kindOf(resource) === "Secret");
      assert.deepEqual(holders.map(({ name }) => name).sort(), secrets.map(({ name }) => name).sort());
    });
  });
}

describe("the Secrets of a stack", () => {
  it("hold these keys", async () => {
    const { resources } = await stackOf({ store: "garage" });
    const keys = (name: string) => Object.keys(dataOf(resources, "Secret", name)).sort();
    assert.deepEqual(keys("attic-postgres-password"), ["password", "username"]);
    assert.deepEqual(keys("attic-postgres-tls"), ["tls.crt", "tls.key"]);
    assert.deepEqual(keys("attic-garage-keys"), [
      "GARAGE_ADMIN_TOKEN",
      "GARAGE_DEFAULT_ACCESS_KEY",
      "GARAGE_DEFAULT_SECRET_KEY",
      "GARAGE_RPC_SECRET",
    ]);
    assert.deepEqual(keys("attic-environment"), [
      "ATTIC_SERVER_DATABASE_URL",
      "ATTIC_SERVER_TOKEN_RS256_SECRET_BASE64",
      "AWS_ACCESS_KEY_ID",
      "AWS_SECRET_ACCESS_KEY",
    ]);
  });

  it("give MinIO's pod and its client the same credentials", async () => {
    const { resources } = await stackOf({ store: "minio" });
    const data = dataOf(resources, "Secret", "attic-minio-keys");
    assert.deepEqual(Object.keys(data).sort(), ["MC_HOST_store", "MINIO_ROOT_PASSWORD", "MINIO_ROOT_USER"]);
    assert.equal(
      data.MC_HOST_store,
      `http://${data.MINIO_ROOT_USER}:${data.MINIO_ROOT_PASSWORD}@attic-minio.attic.svc:9000`,
    );
  });

  it("have made-up names, so that a new content rolls what mounts it", async () => {
    const { resources } = await stackOf({});
    const held = resources.filter((resource) => ["Secret", "ConfigMap", "Job"].includes(kindOf(resource)));
    assert.equal(held.length, 9);
    for (const { name, inputs } of held)
      assert.equal((inputs.metadata as { name?: string }).name, undefined, name);
  });
});
