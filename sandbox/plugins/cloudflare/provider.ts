import type {
  CheckFailure,
  DiffRequest,
  DiffResult,
  PropertyDiff,
  Provider,
} from "../../../provider/protocol/provider.ts";
import {
  containsSecret,
  containsUnknown,
  equal,
  reveal,
  revealAll,
  Secret,
  Unknown,
  type Properties,
  type Value,
} from "../../../provider/protocol/values.ts";
import { addDifferences } from "../table.ts";
import { unplayed } from "../unplayed.ts";
import type { Client } from "./client.ts";
import type { Resource } from "./resource.ts";
import { misshapen } from "./shape.ts";

type Methods = Pick<Provider, "check" | "diff" | "create" | "read" | "update" | "delete">;

/** A provider's methods for a table of types, by their tokens. */
export function resourceMethods(table: Readonly<Record<string, Resource>>, client: () => Client): Methods {
  const find = (type: string): Resource => {
    const resource = table[type];
    if (!resource) throw new Error(unplayed("resource type", type, "cloudflare"));
    return resource;
  };
  return {
    check: async ({ type, news }) => {
      const resource = find(type);
      const unplayable = (resource.unplayed ?? []).filter((name) => name in news);
      if (unplayable.length > 0)
        return { inputs: news, failures: unplayable.map((name) => notPlayed(type, name)) };
      const wrong = misshapen(news, resource.inputs);
      const more = wrong.length === 0 ? await resource.check?.(knownOf(revealAll(news))) : undefined;
      return { inputs: news, failures: [...wrong, ...(more ?? [])] satisfies CheckFailure[] };
    },
    diff: (request) => compare(find(request.type), request),
    create: async ({ type, inputs, preview }) => {
      const resource = find(type);
      const planned = withDefaults(resource, inputs);
      if (preview) {
        const open = [...resource.computed, ...(resource.filled ?? []).filter((name) => !(name in planned))];
        return { id: "", outputs: hide(resource, { ...planned, ...unknowns([...open, "id"]) }) };
      }
      const made = await resource.create(client(), revealAll(planned));
      return { id: made.id, outputs: hide(resource, { ...keepSecrets(made.outputs, planned), id: made.id }) };
    },
    read: async ({ type, id, outputs, inputs }) => {
      const resource = find(type);
      const start = Object.keys(outputs).length === 0 ? imported(resource, type, id) : { id, outputs };
      const found = await resource.read(client(), start.id, revealAll(start.outputs));
      if (!found) return { id: "", outputs: {} };
      const kept = keepSecrets(dropNulls(found), start.outputs);
      const fresh = Object.keys(inputs).length === 0;
      const names = fresh ? Object.keys(resource.inputs) : Object.keys(inputs);
      const now = names.flatMap((name) => {
        const [before, after] = [inputs[name], kept[name]];
        if (before !== undefined && same(before, after)) return [[name, before] as const];
        return after === undefined ? [] : [[name, after] as const];
      });
      return {
        id: start.id,
        outputs: hide(resource, { ...kept, id: start.id }),
        inputs: Object.fromEntries(now),
      };
    },
    update: async ({ type, id, olds, news, preview }) => {
      const resource = find(type);
      const planned = plan(resource, olds, news);
      if (preview) {
        const filled = (resource.filled ?? []).filter((name) => !(name in news));
        const stays = (name: string) => resource.stable?.includes(name) === true;
        const open = [...resource.computed, ...filled].filter((name) => !stays(name));
        const left = [...resource.computed, ...filled].filter((name) => stays(name) && name in olds);
        const before = Object.fromEntries(left.map((name) => [name, olds[name] ?? null]));
        return hide(resource, { ...dropNulls(planned), ...before, ...unknowns(open), id });
      }
      if (!resource.update) throw new Error(`${type} cannot be updated`);
      const outputs = await resource.update(client(), id, revealAll(olds), revealAll(dropNulls(planned)));
      return hide(resource, { ...keepSecrets(dropNulls(outputs), planned), id });
    },
    delete: async ({ type, id, outputs }) => {
      await find(type).delete(client(), id, revealAll(outputs));
    },
  };
}

function notPlayed(type: string, property: string): CheckFailure {
  return { property, reason: unplayed("input", `${property} of ${type}`, "cloudflare") };
}

function compare(resource: Resource, { olds, news }: DiffRequest): DiffResult {
  const detailed = new Map<string, PropertyDiff>();
  const planned = plan(resource, olds, news);
  for (const name of Object.keys(resource.inputs)) {
    const replace = resource.replaces.includes(name);
    addDifferences(detailed, name, reveal(olds[name] ?? null), reveal(planned[name] ?? null), replace);
  }
  const replaces = [...detailed].filter(([, { kind }]) => kind.endsWith("replace")).map(([path]) => path);
  const diffs = [...new Set([...detailed.keys()].map((path) => path.split(/[.[]/)[0] ?? path))];
  return { changes: detailed.size > 0, replaces, diffs, deleteBeforeReplace: false, detailed };
}

/** The inputs as they are to be: as they were where Cloudflare filled them in, or where changes are overlooked. */
function plan(resource: Resource, olds: Properties, news: Properties): Properties {
  const given = withDefaults(resource, news);
  const kept = Object.keys(resource.inputs).filter(
    (name) =>
      name in olds &&
      (resource.overlooked?.includes(name) === true ||
        (resource.filled?.includes(name) === true && !(name in given))),
  );
  return { ...given, ...Object.fromEntries(kept.map((name) => [name, olds[name] ?? null])) };
}

function withDefaults(resource: Resource, inputs: Properties): Properties {
  return { ...resource.defaults, ...dropNulls(inputs) };
}

function imported(resource: Resource, type: string, id: string): { id: string; outputs: Properties } {
  if (!resource.import) throw new Error(`resources of type ${type} cannot be imported`);
  const wanted = resource.import.form.split("/");
  const parts = id.split("/");
  const least = wanted.filter((part) => !part.endsWith("?")).length;
  if (parts.length < least || parts.length > wanted.length || parts.includes(""))
    throw new Error(
      `the id to import must be of the form ${resource.import.form.replaceAll("?", "")}, got "${id}"`,
    );
  return resource.import.parse(parts);
}

/** Outputs are as secret as what they were made of. */
function keepSecrets(outputs: Properties, source: Properties): Properties {
  return Object.fromEntries(
    Object.entries(outputs).map(([name, value]) => {
      const before = source[name];
      if (before === undefined || !containsSecret(before)) return [name, value];
      return [name, same(before, value) ? before : new Secret(reveal(value))];
    }),
  );
}

function hide(resource: Resource, outputs: Properties): Properties {
  const hidden = Object.entries(outputs).map(([name, value]) =>
    resource.secrets?.includes(name) === true && !(value instanceof Secret)
      ? [name, new Secret(value)]
      : [name, value],
  );
  const all = Object.fromEntries(hidden) as Properties;
  return resource.hide?.(all) ?? all;
}

function same(a: Value, b: Value | undefined): boolean {
  return b !== undefined && equal(reveal(a), reveal(b));
}

function unknowns(names: readonly string[]): Properties {
  return Object.fromEntries(names.map((name) => [name, new Unknown()]));
}

function dropNulls(properties: Properties): Properties {
  return Object.fromEntries(Object.entries(properties).filter(([, value]) => reveal(value) !== null));
}

function knownOf(properties: Properties): Properties {
  return Object.fromEntries(Object.entries(properties).filter(([, value]) => !containsUnknown(value)));
}
