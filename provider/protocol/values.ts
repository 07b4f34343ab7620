import pb from "google-protobuf/google/protobuf/struct_pb.js";

/** A value as the engine and its plugins exchange it: JSON, and the special values that JSON has no word for. */
export type Value = null | boolean | number | string | Secret | Unknown | Opaque | Value[] | Properties;

/** The inputs or the outputs of a resource. */
export interface Properties {
  [name: string]: Value;
}

/** A value that the engine encrypts in the state and shows as `[secret]`. */
export class Secret {
  readonly value: Value;
  constructor(value: Value) {
    this.value = value;
  }
}

/** A value that nobody knows before the update: only in a preview. */
export class Unknown {
  /** What stands on the wire in its place: it tells the type that the value will have. */
  readonly sentinel: string;
  constructor(sentinel: string = UNKNOWN_STRING) {
    this.sentinel = sentinel;
  }
}

/** An asset or an archive: no plugin here looks into one, so it goes back as it came. */
export class Opaque {
  readonly wire: Wire;
  constructor(wire: Wire) {
    this.wire = wire;
  }
}

// The engine's signatures and sentinels: sdk/go/common/resource/plugin/rpc.go of pulumi/pulumi.
const SIGNATURE = "4dabf18193072939515e22adb298388d";
const SIGNATURES = {
  secret: "1b47061264138c4ac30d75fd1eb44270",
  output: "d0e6a833031e9bbcd3f4e8bde6ca49a4",
  resource: "5cf8f73096256a8f31e491e813e4eb8e",
};
const UNKNOWN_STRING = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";
const UNKNOWNS = new Set([
  UNKNOWN_STRING,
  "1c4a061d-8072-4f0a-a4cb-0ff528b18fe7",
  "3eeb2bf0-c639-47a8-9e75-3b44932eb421",
  "6a19a0b0-7e62-4c92-b797-7f8e31da9cc2",
  "030794c1-ac77-496b-92df-f27374a8bd58",
  "e48ece36-62e2-4504-bad9-02848725956a",
  "dd056dcd-154b-4c76-9bd3-c8f88648b5ff",
]);

/** JSON, as the messages of the protocol hold it. */
type Wire = null | boolean | number | string | Wire[] | { [key: string]: Wire };

/** Reads properties from the wire; a missing message is the same as no properties. */
export function unmarshal(struct: InstanceType<typeof pb.Struct> | undefined): Properties {
  return struct ? decodeObject(struct.toJavaScript()) : {};
}

/** Writes properties for the wire, secrets with their signature. */
export function marshal(properties: Properties): InstanceType<typeof pb.Struct> {
  return pb.Struct.fromJavaScript(encodeObject(properties));
}

function decode(wire: Wire): Value {
  if (typeof wire === "string") return UNKNOWNS.has(wire) ? new Unknown(wire) : wire;
  if (typeof wire !== "object" || wire === null) return wire;
  if (Array.isArray(wire)) return wire.map(decode);
  switch (wire[SIGNATURE]) {
    case undefined:
      return decodeObject(wire);
    case SIGNATURES.secret:
      return new Secret(decode(wire.value ?? null));
    case SIGNATURES.output: {
      const value = "value" in wire ? decode(wire.value ?? null) : new Unknown();
      return wire.secret === true ? new Secret(value) : value;
    }
    case SIGNATURES.resource:
      return decode(wire.id ?? wire.urn ?? null);
    default:
      return new Opaque(wire);
  }
}

function decodeObject(wire: Record<string, Wire>): Properties {
  return Object.fromEntries(Object.entries(wire).map(([key, value]) => [key, decode(value)]));
}

function encode(value: Value): Wire {
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return value.map(encode);
  if (value instanceof Secret) return { [SIGNATURE]: SIGNATURES.secret, value: encode(value.value) };
  if (value instanceof Unknown) return value.sentinel;
  if (value instanceof Opaque) return value.wire;
  return encodeObject(value);
}

function encodeObject(properties: Properties): Record<string, Wire> {
  return Object.fromEntries(Object.entries(properties).map(([key, value]) => [key, encode(value)]));
}

/** Tells an object of properties from every other value. */
export function isObject(value: Value | undefined): value is Properties {
  return (
    typeof value === "object" &&
    value !== null &&
    !Array.isArray(value) &&
    !(value instanceof Secret || value instanceof Unknown || value instanceof Opaque)
  );
}

/** The same value with the secret marks taken off, at every depth. */
export function reveal(value: Value): Value {
  if (value instanceof Secret) return reveal(value.value);
  if (Array.isArray(value)) return value.map(reveal);
  return isObject(value) ? revealAll(value) : value;
}

/** {@link reveal} for all properties of an wire. */
export function revealAll(properties: Properties): Properties {
  return Object.fromEntries(Object.entries(properties).map(([key, value]) => [key, reveal(value)]));
}

/** Whether a secret stands anywhere in the value. */
export function containsSecret(value: Value): boolean {
  return some(value, (inner) => inner instanceof Secret);
}

/** Whether a part of the value is not known yet. */
export function containsUnknown(value: Value): boolean {
  return some(value, (inner) => inner instanceof Unknown);
}

function some(value: Value, test: (inner: Value) => boolean): boolean {
  if (test(value)) return true;
  if (value instanceof Secret) return some(value.value, test);
  if (Array.isArray(value)) return value.some((item) => some(item, test));
  return isObject(value) && Object.values(value).some((item) => some(item, test));
}

/** Whether two values are the same, whatever the order of their keys; an unknown equals nothing. */
export function equal(a: Value | undefined, b: Value | undefined): boolean {
  if (a === undefined || b === undefined) return a === b;
  if (a instanceof Secret || b instanceof Secret) return equal(unwrap(a), unwrap(b));
  if (Array.isArray(a) && Array.isArray(b)) {
    return a.length === b.length && a.every((item, index) => equal(item, b[index]));
  }
  if (isObject(a) && isObject(b)) {
    const keys = Object.keys(a);
    return keys.length === Object.keys(b).length && keys.every((key) => key in b && equal(a[key], b[key]));
  }
  if (a instanceof Opaque && b instanceof Opaque) return JSON.stringify(a.wire) === JSON.stringify(b.wire);
  return a === b && !(a instanceof Unknown);
}

function unwrap(value: Value): Value {
  return value instanceof Secret ? unwrap(value.value) : value;
}

/** The value if it is text, else "". */
export function asText(value: Value | undefined): string {
  return typeof value === "string" ? value : "";
}
