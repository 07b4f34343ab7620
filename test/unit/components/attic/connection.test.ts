import assert from "node:assert/strict";
import { describe, it } from "mocha";
import pulumi from "@pulumi/pulumi";
import { Cache } from "../../../../components/attic/cache.ts";
import { AtticProvider, type Connection } from "../../../../components/attic/connection.ts";
import { placeOf } from "../../../../components/attic/database-place.ts";
import { deploy, valueOf } from "../../../support/mocks.ts";

const PASSWORD = "hunter2";

function connection(more: Partial<Connection>): Connection {
  const secret = pulumi.secret(Buffer.alloc(32, 1).toString("base64"));
  return { endpoint: "https://cache.example.com/", signingKey: { algorithm: "HS256", secret }, ...more };
}

describe("AtticProvider", () => {
  for (const endpoint of ["https://cache.example.com/attic", "https://cache.example.com/attic/"]) {
    it(`gives clients addresses below ${endpoint}`, async () => {
      const { result, resources } = await deploy(() => {
        const provider = new AtticProvider("attic", connection({ endpoint }));
        return new Cache("main", { name: "main" }, { provider });
      });
      assert.equal(result.apiEndpoint, "https://cache.example.com/attic/");
      assert.equal((await valueOf(result.substituter)).value, "https://cache.example.com/attic/main");
      assert.equal(resources[0]?.inputs.endpoint, "https://cache.example.com/attic/");
    });
  }

  const wrong: [string, RegExp][] = [
    ["cache.example.com", /^The endpoint of attic is not a URL such as https:\/\/cache\.example\.com\/\.$/],
    [
      `https://me:${PASSWORD}@cache.example.com/`,
      /^The endpoint of attic has a user name or a password in it/,
    ],
    [`https://${PASSWORD}@cache.example.com/`, /^The endpoint of attic has a user name or a password in it/],
    [`https://cache.example.com/?key=${PASSWORD}`, /^The endpoint of attic has a \? or a # in it/],
  ];
  for (const [endpoint, message] of wrong) {
    it(`refuses ${endpoint.replace(PASSWORD, "…")} without quoting it`, async () => {
      await assert.rejects(
        deploy(() => new AtticProvider("attic", connection({ endpoint }))),
        (error: Error) => {
          assert.ok(pulumi.RunError.isInstance(error));
          assert.match(error.message, message);
          assert.equal(error.message.includes(PASSWORD), false);
          return true;
        },
      );
    });
  }

  it("keeps of the database's URL what tells it from others, and nothing that is secret", () => {
    assert.equal(
      placeOf(`postgres://me:${PASSWORD}@db.example.com:5432/attic?x=1`),
      "db.example.com:5432/attic",
    );
  });

  it("refuses a database's URL that is none without quoting it", () => {
    assert.throws(
      () => placeOf(`postgres://me:${PASSWORD}/x@[db:5432/attic`),
      (error: Error) => {
        assert.ok(pulumi.RunError.isInstance(error));
        assert.match(error.message, /^The URL of Attic's database cannot be read\./);
        assert.equal(
          JSON.stringify([error.message, error.stack, error.cause ?? ""]).includes(PASSWORD),
          false,
        );
        return true;
      },
    );
  });
});
