import assert from "node:assert/strict";
import { compareSync } from "bcryptjs";
import fc from "fast-check";
import type { DiffResult, Provider } from "../../../../provider/protocol/provider.ts";
import { tableProvider } from "../../../../sandbox/plugins/table.ts";
import { asText, revealAll, Secret, Unknown, type Properties } from "../../../../provider/protocol/values.ts";
import { RANDOM } from "../../../../sandbox/plugins/random/resources.ts";

const random: Provider = tableProvider("random", "1.0.0", RANDOM);
const urn = "urn:pulumi:dev::project::type::name";

function token(name: string): string {
  return `random:index/${name.charAt(0).toLowerCase()}${name.slice(1)}:${name}`;
}

async function create(name: string, inputs: Properties, preview = false): Promise<Properties> {
  return (await random.create({ urn, type: token(name), inputs, timeout: 0, preview })).outputs;
}

async function reasons(name: string, news: Properties): Promise<string[]> {
  const request = {
    urn,
    type: token(name),
    olds: {},
    news,
    randomSeed: new Uint8Array(),
    autonaming: undefined,
  };
  return ((await random.check(request)).failures ?? []).map(
    ({ property, reason }) => `${property}: ${reason}`,
  );
}

async function diff(name: string, olds: Properties, news: Properties): Promise<DiffResult> {
  const request = { urn, type: token(name), id: "none", olds, oldInputs: {}, news, ignoreChanges: [] };
  return await random.diff(request);
}

describe("RandomPassword", () => {
  it("has the wanted length, the wanted classes and at least the wanted number of each", async () => {
    const counts = { minLower: fc.nat(5), minUpper: fc.nat(5), minNumeric: fc.nat(5), minSpecial: fc.nat(5) };
    await fc.assert(
      fc.asyncProperty(fc.record(counts), fc.nat(20), async (minimum, more) => {
        const least = Object.values(minimum).reduce((sum, count) => sum + count, 0);
        const length = Math.max(1, least + more);
        const { result } = revealAll(
          await create("RandomString", { ...minimum, length, overrideSpecial: "_%@" }),
        );
        const text = asText(result);
        assert.equal(text.length, length);
        assert.match(text, /^[A-Za-z0-9_%@]*$/);
        const found = (pattern: RegExp): number => text.match(pattern)?.length ?? 0;
        assert.ok(found(/[a-z]/g) >= minimum.minLower);
        assert.ok(found(/[A-Z]/g) >= minimum.minUpper);
        assert.ok(found(/[0-9]/g) >= minimum.minNumeric);
        assert.ok(found(/[_%@]/g) >= minimum.minSpecial);
      }),
    );
  });

  it("draws no special character where there shall be none, and no letter either", async () => {
    const plain = revealAll(await create("RandomPassword", { length: 200, special: false }));
    assert.match(asText(plain.result), /^[A-Za-z0-9]{200}$/);
    const digits = revealAll(
      await create("RandomPassword", { length: 50, special: false, lower: false, upper: false }),
    );
    assert.match(asText(digits.result), /^[0-9]{50}$/);
  });

  it("keeps result and hash secret, and shows the defaults in its outputs", async () => {
    const { result, bcryptHash, ...rest } = await create("RandomPassword", { length: 20 });
    assert.ok(result instanceof Secret && bcryptHash instanceof Secret);
    assert.ok(compareSync(asText(result.value), asText(bcryptHash.value)));
    const counts = { minLower: 0, minNumeric: 0, minSpecial: 0, minUpper: 0 };
    const classes = { lower: true, number: true, numeric: true, special: true, upper: true };
    assert.deepEqual(rest, { length: 20, ...counts, ...classes });
  });

  it("is never the same twice", async () => {
    const made = await Promise.all(
      Array.from({ length: 20 }, async () => revealAll(await create("RandomString", { length: 20 })).result),
    );
    assert.equal(new Set(made).size, 20);
  });

  it("shows unknown secrets in a preview", async () => {
    const outputs = await create("RandomPassword", { length: 20 }, true);
    assert.deepEqual(outputs.result, new Secret(new Unknown()));
    assert.equal(outputs.length, 20);
  });

  it("refuses what cannot be drawn", async () => {
    assert.deepEqual(await reasons("RandomPassword", { length: 0 }), [
      "length: Attribute length value must be at least 1",
    ]);
    assert.deepEqual(await reasons("RandomPassword", { length: 3, minLower: 2, minUpper: 2 }), [
      "length: Attribute length value must be at least sum of min*, 4",
    ]);
    assert.equal((await reasons("RandomPassword", { lenght: 3 })).length, 1);
    assert.deepEqual(await reasons("RandomPassword", { length: new Unknown() }), []);
  });

  it("is replaced by a change of any input, and by none where a default is only written out", async () => {
    const olds = await create("RandomPassword", { length: 20, keepers: { version: "1" } });
    const same = await diff("RandomPassword", olds, { length: 20, special: true, keepers: { version: "1" } });
    assert.equal(same.changes, false);
    const changed = await diff("RandomPassword", olds, { length: 21, keepers: { version: "2" } });
    assert.deepEqual(
      [...(changed.detailed ?? [])],
      [
        ["keepers.version", { kind: "update-replace", input: false }],
        ["length", { kind: "update-replace", input: false }],
      ],
    );
    assert.deepEqual(changed.replaces, ["keepers.version", "length"]);
    assert.equal((await diff("RandomPassword", olds, { length: 20, number: false })).changes, true);
  });
});

describe("the other random resources", () => {
  it("write the same bytes in every encoding", async () => {
    const { b64Std, b64Url, hex, dec } = await create("RandomId", { byteLength: 8, prefix: "p-" });
    const bytes = Buffer.from(asText(hex).slice(2), "hex");
    assert.equal(bytes.length, 8);
    assert.equal(b64Std, `p-${bytes.toString("base64")}`);
    assert.equal(b64Url, `p-${bytes.toString("base64url")}`);
    assert.equal(dec, `p-${bytes.readBigUInt64BE()}`);
    const secret = revealAll(await create("RandomBytes", { length: 33 }));
    assert.equal(Buffer.from(asText(secret.base64), "base64").toString("hex"), secret.hex);
  });

  it("keep bytes secret, and a UUID a UUID", async () => {
    const { base64, hex } = await create("RandomBytes", { length: 8 });
    assert.ok(base64 instanceof Secret && hex instanceof Secret);
    assert.match(asText((await create("RandomUuid", {})).result), /^[0-9a-f-]{36}$/);
  });

  it("are imported by their value", async () => {
    const request = { urn, type: token("RandomPassword"), id: "hunter2", outputs: {}, inputs: {} };
    const { id, outputs, inputs } = await random.read(request);
    assert.equal(id, "none");
    assert.deepEqual(outputs.result, new Secret("hunter2"));
    assert.deepEqual(inputs, { length: 7 });
  });

  it("name a type that is not played, and the way to the official plugin", () => {
    assert.throws(
      () =>
        random.check({
          urn,
          type: token("RandomPet"),
          olds: {},
          news: {},
          randomSeed: new Uint8Array(),
          autonaming: undefined,
        }),
      /does not play the resource type random:index\/randomPet:RandomPet.*SANDBOX_REAL=random/,
    );
  });
});
