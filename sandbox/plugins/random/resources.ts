import { randomBytes, randomInt, randomUUID } from "node:crypto";
import { hashSync } from "bcryptjs";
import type { LocalResource } from "../table.ts";
import type { Properties, Value } from "../../../provider/protocol/values.ts";
import { CHARACTER_INPUTS, checkCharacters, randomCharacters } from "./characters.ts";

/** `number` is the deprecated name of `numeric`; the state holds both. */
function numeric(inputs: Properties): Properties {
  const value = inputs.numeric ?? inputs.number ?? true;
  return { ...inputs, number: value, numeric: value };
}

const password: LocalResource = {
  inputs: CHARACTER_INPUTS,
  complete: numeric,
  computed: ["result", "bcryptHash"],
  secrets: ["result", "bcryptHash"],
  check: checkCharacters,
  create: (inputs) => {
    const result = randomCharacters(inputs);
    return { id: "none", computed: { result, bcryptHash: bcrypt(result) } };
  },
  import: (result) => ({
    id: "none",
    outputs: { result, bcryptHash: bcrypt(result) },
    inputs: { length: result.length },
  }),
};

const text: LocalResource = {
  inputs: CHARACTER_INPUTS,
  complete: numeric,
  computed: ["result"],
  secrets: [],
  check: checkCharacters,
  create: (inputs) => {
    const result = randomCharacters(inputs);
    return { id: result, computed: { result } };
  },
  import: (result) => ({
    id: result,
    outputs: { result },
    inputs: { length: result.length },
  }),
};

const bytes: LocalResource = {
  inputs: { keepers: null, length: null },
  computed: ["base64", "hex"],
  secrets: ["base64", "hex"],
  check: ({ length }) => positive("length", length),
  create: ({ length }) => {
    const made = randomBytes(Number(length));
    // The official plugin's id is the value itself, and ids stand in the state in clear: so they do here,
    // and a search of the state for secrets finds it.
    return {
      id: made.toString("base64"),
      computed: { base64: made.toString("base64"), hex: made.toString("hex") },
    };
  },
  import: (id) => ({
    id,
    outputs: { base64: id, hex: Buffer.from(id, "base64").toString("hex") },
    inputs: { length: Buffer.from(id, "base64").length },
  }),
};

const id: LocalResource = {
  inputs: { byteLength: null, keepers: null, prefix: null },
  computed: ["b64Std", "b64Url", "dec", "hex"],
  secrets: [],
  check: ({ byteLength }) => positive("byteLength", byteLength),
  create: ({ byteLength, prefix }) => {
    const made = randomBytes(Number(byteLength));
    return { id: made.toString("base64url"), computed: encodings(made, prefix) };
  },
  import: (id) => {
    const [given = "", prefix = null] = id.split(",").reverse();
    const made = Buffer.from(given, "base64url");
    return {
      id: given,
      outputs: encodings(made, prefix),
      inputs: { byteLength: made.length, ...(prefix === null ? {} : { prefix }) },
    };
  },
};

const uuid: LocalResource = {
  inputs: { keepers: null },
  computed: ["result"],
  secrets: [],
  create: () => {
    const result = randomUUID();
    return { id: result, computed: { result } };
  },
  import: (result) => ({ id: result, outputs: { result }, inputs: {} }),
};

const integer: LocalResource = {
  inputs: { keepers: null, max: null, min: null, seed: null },
  computed: ["result"],
  secrets: [],
  check: ({ min, max, seed }) => [
    ...(typeof min === "number" && typeof max === "number" && max < min
      ? [{ property: "max", reason: "The minimum (min) value needs to be smaller than or equal to maximum" }]
      : []),
    ...(seed === undefined || seed === null
      ? []
      : [{ property: "seed", reason: "the sandbox's stand-in draws no seeded numbers" }]),
  ],
  create: ({ min, max }) => {
    const result = randomInt(Number(min), Number(max) + 1);
    return { id: String(result), computed: { result } };
  },
};

/** The types of the package random that the stand-in plays, by token. */
export const RANDOM: Readonly<Record<string, LocalResource>> = {
  "random:index/randomBytes:RandomBytes": bytes,
  "random:index/randomId:RandomId": id,
  "random:index/randomInteger:RandomInteger": integer,
  "random:index/randomPassword:RandomPassword": password,
  "random:index/randomString:RandomString": text,
  "random:index/randomUuid:RandomUuid": uuid,
};

function positive(property: string, value: Value | undefined) {
  return value === undefined || (typeof value === "number" && value >= 1)
    ? []
    : [{ property, reason: `Attribute ${property} value must be at least 1` }];
}

function encodings(made: Buffer, prefix: Value | undefined): Properties {
  const before = typeof prefix === "string" ? prefix : "";
  return {
    b64Std: before + made.toString("base64"),
    b64Url: before + made.toString("base64url"),
    dec: before + BigInt(`0x${made.toString("hex") || "0"}`).toString(),
    hex: before + made.toString("hex"),
  };
}

/** As the official plugin does it: cost 10, of the first 72 bytes. */
function bcrypt(value: string): string {
  return hashSync(value, 10);
}
