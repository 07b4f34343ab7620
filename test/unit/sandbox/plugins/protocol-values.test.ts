import assert from "node:assert/strict";
import fc from "fast-check";
import structPb from "google-protobuf/google/protobuf/struct_pb.js";
import {
  containsSecret,
  containsUnknown,
  equal,
  marshal,
  Opaque,
  reveal,
  Secret,
  unmarshal,
  Unknown,
  type Properties,
} from "../../../../provider/protocol/values.ts";

const SIGNATURE = "4dabf18193072939515e22adb298388d";
const UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";

describe("values of the plugin protocol", () => {
  it("come back from the wire as they went", () => {
    // google-protobuf, and with it the SDK, loses what has this name.
    const name = fc.string().filter((text) => text !== "__proto__");
    const value: fc.Arbitrary<Properties> = fc.dictionary(
      name,
      fc.letrec((tie) => ({
        tree: fc.oneof(
          { depthSize: "small" },
          fc.constant(null),
          fc.boolean(),
          fc.double({ noNaN: true, noDefaultInfinity: true }),
          fc.string(),
          fc.array(tie("tree")),
          fc.dictionary(name, tie("tree"), { noNullPrototype: true }),
          tie("tree").map((inner) => new Secret(inner as Properties)),
        ),
      })).tree as fc.Arbitrary<Properties>,
      { noNullPrototype: true },
    );
    fc.assert(
      fc.property(value, (properties) => {
        assert.deepEqual(unmarshal(marshal(properties)), properties);
      }),
    );
  });

  it("writes a secret with its signature, and reads one", () => {
    const wire = marshal({ password: new Secret("x") }).toJavaScript();
    assert.deepEqual(wire, {
      password: { [SIGNATURE]: "1b47061264138c4ac30d75fd1eb44270", value: "x" },
    });
  });

  it("reads every sentinel of an unknown, and writes the same one back", () => {
    const struct = structPb.Struct.fromJavaScript({
      a: UNKNOWN,
      b: ["6a19a0b0-7e62-4c92-b797-7f8e31da9cc2"],
    });
    const properties = unmarshal(struct);
    assert.ok(properties.a instanceof Unknown);
    assert.ok(containsUnknown(properties));
    assert.deepEqual(marshal(properties).toJavaScript(), struct.toJavaScript());
  });

  it("reads an output that is secret and known, and one that is not known", () => {
    const output = "d0e6a833031e9bbcd3f4e8bde6ca49a4";
    const struct = structPb.Struct.fromJavaScript({
      known: { [SIGNATURE]: output, value: 1, secret: true, dependencies: ["urn"] },
      unknown: { [SIGNATURE]: output },
    });
    assert.deepEqual(unmarshal(struct), { known: new Secret(1), unknown: new Unknown() });
  });

  it("hands an asset back as it came", () => {
    const asset = { [SIGNATURE]: "c44067f5952c0a294b673a41bacd8c17", text: "x" };
    const properties = unmarshal(structPb.Struct.fromJavaScript({ asset }));
    assert.ok(properties.asset instanceof Opaque);
    assert.deepEqual(marshal(properties).toJavaScript(), { asset });
  });

  it("sees a secret and an unknown at any depth, and takes the marks off", () => {
    const value = { a: [{ b: new Secret({ c: new Unknown() }) }] };
    assert.ok(containsSecret(value));
    assert.ok(containsUnknown(value));
    assert.deepEqual(reveal(value), { a: [{ b: { c: new Unknown() } }] });
    assert.ok(!containsSecret({ a: [1] }));
  });

  it("takes no unknown for equal, and a secret for equal to its value", () => {
    assert.ok(equal({ a: 1, b: [2] }, { b: [2], a: 1 }));
    assert.ok(equal(new Secret("x"), "x"));
    assert.ok(!equal(new Unknown(), new Unknown()));
    assert.ok(!equal({ a: 1 }, { a: 1, b: null }));
  });
});
