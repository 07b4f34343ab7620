import { unplayed } from "./unplayed.ts";
import type {
  CheckFailure,
  DiffRequest,
  DiffResult,
  PropertyDiff,
  Provider,
} from "../../provider/protocol/provider.ts";
import {
  equal,
  isObject,
  reveal,
  revealAll,
  Secret,
  Unknown,
  type Properties,
  type Value,
} from "../../provider/protocol/values.ts";

/**
 * A type of resource that only lives in the state: made of its inputs once, never updated in any other
 * system. The Terraform resources behind the random and tls packages are all of this sort.
 */
export interface LocalResource {
  /** Every input that there is, with what stands in the state where it is not given; `null` for nothing. */
  inputs: Readonly<Record<string, Value>>;
  /** Fills in what one input says of another. */
  complete?(inputs: Properties): Properties;
  /** Outputs that the resource computes. */
  computed: readonly string[];
  /** Inputs and outputs that are always secret, given as a secret or not. */
  secrets: readonly string[];
  /** Inputs that may change without a new resource. */
  updatable?: readonly string[];
  /** What is wrong with the inputs; never with a value of a secret in the words. */
  check?(inputs: Properties): CheckFailure[];
  /** Makes the resource. The inputs are whole: defaults filled in, secrets in clear. */
  create(inputs: Properties): Promise<Made> | Made;
  /** Makes the state from the id alone, where the official plugin can import the type. */
  import?(id: string): { id: string; outputs: Properties; inputs: Properties } | Promise<Imported>;
  /** Whether time has made a new resource necessary, and which output says so. */
  expired?(outputs: Properties): string | undefined;
}

interface Made {
  id: string;
  computed: Properties;
}

interface Imported {
  id: string;
  outputs: Properties;
  inputs: Properties;
}

/** Makes a provider of a table of such types, by their tokens. */
export function tableProvider(
  name: string,
  version: string,
  table: Readonly<Record<string, LocalResource>>,
): Provider {
  const find = (type: string): LocalResource => {
    const resource = table[type];
    if (!resource) throw new Error(unplayed("resource type", type, name));
    return resource;
  };
  return {
    name,
    version,
    unknown: (what, token) => unplayed(what, token, name),
    check: ({ type, news }) => {
      const resource = find(type);
      const failures = Object.keys(news)
        .filter((property) => !(property in resource.inputs))
        .map((property) => ({ property, reason: `${type} has no input of this name` }));
      return {
        inputs: hide(resource, news),
        failures: [...failures, ...(resource.check?.(known(revealAll(news))) ?? [])],
      };
    },
    diff: (request) => compare(find(request.type), request),
    create: async ({ type, inputs, preview }) => {
      const resource = find(type);
      const whole = withDefaults(resource, inputs);
      if (preview) {
        const computed = Object.fromEntries(resource.computed.map((output) => [output, new Unknown()]));
        return { id: "", outputs: hide(resource, { ...computed, ...dropNulls(whole) }) };
      }
      const made = await resource.create(revealAll(whole));
      return { id: made.id, outputs: hide(resource, { ...dropNulls(whole), ...made.computed }) };
    },
    read: async ({ type, id, outputs, inputs }) => {
      const resource = find(type);
      if (Object.keys(outputs).length > 0) return { id, outputs, inputs };
      if (!resource.import) throw new Error(`resources of type ${type} cannot be imported`);
      const state = await resource.import(id);
      return {
        id: state.id,
        outputs: hide(resource, { ...dropNulls(withDefaults(resource, state.inputs)), ...state.outputs }),
        inputs: hide(resource, state.inputs),
      };
    },
    update: ({ type, olds, news }) => {
      const resource = find(type);
      const computed = Object.fromEntries(
        Object.entries(olds).filter(([output]) => !(output in resource.inputs)),
      );
      return hide(resource, { ...computed, ...dropNulls(withDefaults(resource, news)) });
    },
    delete: () => undefined,
  };
}

function compare(resource: LocalResource, { type, olds, news }: DiffRequest): DiffResult {
  const before = withDefaults(resource, olds);
  const after = withDefaults(resource, news);
  const detailed = new Map<string, PropertyDiff>();
  for (const input of Object.keys(resource.inputs)) {
    const replace = !resource.updatable?.includes(input);
    addDifferences(detailed, input, reveal(before[input] ?? null), reveal(after[input] ?? null), replace);
  }
  const expired = resource.expired?.(revealAll(olds));
  if (expired !== undefined) detailed.set(expired, { kind: "update-replace", input: false });
  const replaces = [...detailed].filter(([, { kind }]) => kind.endsWith("replace")).map(([path]) => path);
  // Without a list of the top-level names the engine shows no difference for a replacement.
  const diffs = [...new Set([...detailed.keys()].map((path) => path.split(/[.[]/)[0] ?? type))];
  return { changes: detailed.size > 0, replaces, diffs, deleteBeforeReplace: false, detailed };
}

/** Adds every path at which two values differ. */
export function addDifferences(
  detailed: Map<string, PropertyDiff>,
  path: string,
  before: Value,
  after: Value,
  replace: boolean,
): void {
  if (equal(before, after)) return;
  if (isObject(before) && isObject(after)) {
    for (const key of new Set([...Object.keys(before), ...Object.keys(after)])) {
      addDifferences(detailed, member(path, key), before[key] ?? null, after[key] ?? null, replace);
    }
    return;
  }
  const kind = before === null ? "add" : after === null ? "delete" : "update";
  detailed.set(path, { kind: replace ? `${kind}-replace` : kind, input: false });
}

function member(path: string, key: string): string {
  return /[."[\]]/.test(key) ? `${path}["${key.replaceAll('"', '\\"')}"]` : `${path}.${key}`;
}

function withDefaults(resource: LocalResource, properties: Properties): Properties {
  const whole = Object.fromEntries(
    Object.entries(resource.inputs).map(([input, fallback]) => [input, properties[input] ?? fallback]),
  );
  return resource.complete?.(whole) ?? whole;
}

function dropNulls(properties: Properties): Properties {
  return Object.fromEntries(Object.entries(properties).filter(([, value]) => reveal(value) !== null));
}

function known(properties: Properties): Properties {
  return Object.fromEntries(Object.entries(properties).filter(([, value]) => !(value instanceof Unknown)));
}

function hide(resource: LocalResource, properties: Properties): Properties {
  return Object.fromEntries(
    Object.entries(properties).map(([name, value]) =>
      resource.secrets.includes(name) && !(value instanceof Secret)
        ? [name, new Secret(value)]
        : [name, value],
    ),
  );
}
