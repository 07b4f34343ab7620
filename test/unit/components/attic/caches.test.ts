import assert from "node:assert/strict";
import { generateKeypair } from "../../../../components/attic/keypair.ts";
import { stackOf } from "../../../support/kinds.ts";
import { valueOf } from "../../../support/mocks.ts";
import { dataOf, find, kindOf, ofKind } from "../../../support/objects.ts";
import { GATEWAY_API } from "../../../support/stack-files.ts";

const KEYPAIR = generateKeypair("main-1");
const PERMISSIONS = [{ cache: "main", allow: ["pull"] }];

describe("a cache of the settings", () => {
  it("is a resource with all that is declared, and protected", async () => {
    const { resources } = await stackOf({}, { caches: [{ name: "main", public: true, retention: "90d" }] });
    const cache = find(resources, "Cache", "attic-cache-main");
    assert.deepEqual(cache.inputs, {
      name: "main",
      isPublic: true,
      priority: 41,
      storeDir: "/nix/store",
      upstreamCacheKeyNames: ["cache.nixos.org-1"],
      retention: "90d",
      adopt: false,
    });
    assert.equal(cache.protect, true);
  });

  it("is not protected where that is said", async () => {
    const { resources } = await stackOf({}, { caches: [{ name: "main", protect: false }] });
    assert.equal(find(resources, "Cache", "attic-cache-main").protect, false);
  });

  it("is protected with all data, and with it the password and the signing key", async () => {
    const caches = [{ name: "main", protect: false }];
    const { resources } = await stackOf({}, { caches, protectData: true });
    const kept = resources.filter(({ protect }) => protect).map(({ name }) => name);
    assert.deepEqual(kept.sort(), [
      "attic-cache-main",
      "attic-garage-data",
      "attic-garage-metadata",
      "attic-postgres-data",
      "attic-postgres-password",
      "attic-signing-key-rsa",
    ]);
    const loose = await stackOf({}, { caches });
    assert.deepEqual(
      loose.resources.filter(({ protect }) => protect),
      [],
    );
  });

  it("has its own keypair as a secret", async () => {
    const caches = [{ name: "main" }, { name: "other" }];
    const cacheKeypairs = JSON.stringify({ main: KEYPAIR });
    const { resources, secretValues } = await stackOf({}, { caches, cacheKeypairs });
    const main = find(resources, "Cache", "attic-cache-main");
    assert.equal(main.inputs.keypair, KEYPAIR);
    assert.notDeepEqual((main.marked as { keypair: unknown }).keypair, KEYPAIR, "the keypair is no secret");
    assert.equal("keypair" in find(resources, "Cache", "attic-cache-other").inputs, false);
    assert.ok(secretValues.includes(cacheKeypairs));
  });

  it("is given out with what clients have to know", async () => {
    const { result } = await stackOf({}, { caches: [{ name: "main", public: true }] });
    const [main, ...more] = result.caches;
    assert.deepEqual(more, []);
    assert.deepEqual((await valueOf(main!.substituter)).value, "https://cache.example.com/main");
    assert.match((await valueOf(main!.publicKey)).value, /^main:[A-Za-z0-9+/]{43}=$/);
    assert.deepEqual(
      [(await valueOf(main!.name)).value, (await valueOf(main!.isPublic)).value],
      ["main", true],
    );
  });
});

describe("a token of the settings", () => {
  it("is a resource with all that is declared, and what the server demands", async () => {
    const { resources } = await stackOf(
      {},
      {
        caches: [{ name: "main" }],
        tokens: [{ name: "ci", permissions: PERMISSIONS }],
        server: { tokenIssuer: "lab", tokenAudiences: ["attic"] },
      },
    );
    assert.deepEqual(find(resources, "AccessToken", "attic-token-ci").inputs, {
      subject: "ci",
      permissions: PERMISSIONS,
      validity: "90d",
      renewBefore: "30d",
      issuer: "lab",
      audiences: ["attic"],
    });
  });

  it("is given out as a secret, and when it ends is not", async () => {
    const tokens = [{ name: "ci", permissions: PERMISSIONS }];
    const { result } = await stackOf({}, { caches: [{ name: "main" }], tokens });
    const { value, secret } = await valueOf(result.tokens);
    assert.deepEqual([Object.keys(value), secret], [["ci"], true]);
    assert.deepEqual(await valueOf(result.tokensExpireAt.ci!), {
      value: "2027-01-01T00:00:00.000Z",
      secret: false,
    });
  });

  it("stands as a netrc in the namespaces that want it", async () => {
    const tokens = [{ name: "ci", permissions: PERMISSIONS, netrc: ["builders", "attic"] }];
    const { resources, result } = await stackOf({}, { caches: [{ name: "main" }], tokens });
    const { ci } = (await valueOf(result.tokens)).value;
    for (const namespace of ["builders", "attic"]) {
      const { metadata } = find(resources, "Secret", `attic-netrc-${namespace}`).inputs as {
        metadata: { name: string; namespace: string };
      };
      assert.deepEqual([metadata.name, metadata.namespace], ["nix-builder-netrc", namespace]);
      assert.deepEqual(dataOf(resources, "Secret", `attic-netrc-${namespace}`), {
        netrc: `machine cache.example.com\nlogin attic\npassword ${ci!}\n`,
      });
    }
  });
});

describe("the way to the server", () => {
  it("is a tunnel unless told, and the caches wait for the server, the provider and the tokens for nothing", async () => {
    const permissions = [{ cache: "main", allow: ["pull"] }];
    const { resources } = await stackOf(
      {},
      { caches: [{ name: "main" }], tokens: [{ name: "reader", permissions }] },
    );
    const provider = resources.find(({ type }) => type === "pulumi:providers:attic")!;
    const { signingKey, ...inputs } = provider.inputs;
    assert.deepEqual(inputs, {
      endpoint: "https://cache.example.com/",
      algorithm: "RS256",
      database: "attic-postgres.attic.svc:5432/attic",
      tunnelNamespace: "attic",
      tunnelService: "attic",
    });
    assert.equal(
      signingKey,
      dataOf(resources, "Secret", "attic-environment").ATTIC_SERVER_TOKEN_RS256_SECRET_BASE64,
    );
    const waits = (type: string) =>
      resources
        .find((resource) => resource.type === type)!
        .dependencies.map((urn) => urn.split("$").at(-1))
        .filter((urn) => urn?.includes("kubernetes:apps/v1:"));
    assert.deepEqual(waits("attic:index:Cache"), ["kubernetes:apps/v1:Deployment::attic"]);
    assert.deepEqual([waits(provider.type), waits("attic:index:AccessToken")], [[], []]);
  });

  it("is the gateway where that is said, which has to be there first", async () => {
    const { resources } = await stackOf({}, { connection: "gateway", gateway: GATEWAY_API });
    const provider = resources.find(({ type }) => type === "pulumi:providers:attic")!;
    assert.deepEqual(Object.keys(provider.inputs).sort(), [
      "algorithm",
      "database",
      "endpoint",
      "signingKey",
    ]);
    assert.ok(provider.dependencies.some((urn) => urn.includes("HTTPRoute")));
  });

  it("says where the server keeps the records of deleted caches", async () => {
    const { resources } = await stackOf({}, { server: { softDeleteCaches: true } });
    const { inputs } = resources.find(({ type }) => type === "pulumi:providers:attic")!;
    assert.equal(inputs.softDeleteCaches, "true");
  });

  it("has the claims that the server demands of the administrator too", async () => {
    const server = { tokenIssuer: "lab", tokenAudiences: ["attic", "other"] };
    const { resources } = await stackOf({}, { server });
    const { inputs } = resources.find(({ type }) => type === "pulumi:providers:attic")!;
    assert.deepEqual([inputs.issuer, inputs.audience], ["lab", "attic"]);
  });

  it("holds no secret in clear", async () => {
    const { resources } = await stackOf({}, {});
    const provider = resources.find(({ type }) => type === "pulumi:providers:attic")!;
    assert.equal(
      JSON.stringify(provider.marked).includes(`"signingKey":"${String(provider.inputs.signingKey)}"`),
      false,
    );
    assert.equal(kindOf(provider), "attic");
    assert.equal(ofKind(resources, "Caches").length, 1);
  });
});
