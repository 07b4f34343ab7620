import manifest from "../../package.json" with { type: "json" };
import type { Provider } from "../protocol/provider.ts";
import { equal } from "../protocol/values.ts";
import { accessToken } from "./access-token.ts";
import { cache } from "./cache.ts";
import { Connection } from "./connection.ts";
import { checkInputs } from "./inputs.ts";
import type { AtticResource } from "./resource.ts";

const RESOURCES: Readonly<Record<string, AtticResource>> = {
  "attic:index:Cache": cache,
  "attic:index:AccessToken": accessToken,
};

/**
 * Attic's caches and tokens as resources of Pulumi.
 *
 * @param waits between tries to reach the server, in milliseconds, for tests.
 */
export function atticProvider(waits?: readonly number[]): Provider {
  let configured: Connection | undefined;
  const connection = (): Connection => {
    if (configured === undefined) throw new Error("The provider attic was not configured.");
    return configured;
  };
  const find = (type: string): AtticResource => {
    const resource = RESOURCES[type];
    if (resource === undefined)
      throw new Error(
        `The provider attic has no type ${type}; it has ${Object.keys(RESOURCES).join(" and ")}.`,
      );
    return resource;
  };
  return {
    name: "attic",
    version: manifest.version,
    // Another address or another key is the same server: what is in it stays.
    diffConfig: ({ olds, news }) => ({
      changes: !equal(olds, news),
      replaces: [],
      deleteBeforeReplace: false,
    }),
    configure: (variables, engine) => {
      configured = new Connection(variables, engine, waits);
      return Promise.resolve();
    },
    check: ({ type, news }) => {
      const resource = find(type);
      const { inputs, failures } = checkInputs(resource.shape, news, resource.secrets);
      return { inputs, failures: failures.length > 0 ? failures : (resource.together?.(inputs) ?? []) };
    },
    diff: (request) => find(request.type).diff(connection(), request),
    create: (request) => find(request.type).create(connection(), request),
    read: (request) => find(request.type).read(connection(), request),
    update: (request) => find(request.type).update(connection(), request),
    delete: (request) => find(request.type).delete(connection(), request),
    cancel: () => configured?.cancel(),
  };
}
