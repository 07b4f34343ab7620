import type { z } from "zod";
import type {
  CheckFailure,
  CreateRequest,
  DeleteRequest,
  DiffRequest,
  DiffResult,
  PropertyDiff,
  ReadRequest,
  State,
  UpdateRequest,
} from "../protocol/provider.ts";
import { equal, type Properties } from "../protocol/values.ts";
import type { Connection } from "./connection.ts";

/** One type of resource that the provider makes. */
export interface AtticResource {
  /** Its inputs, each with its rule and what it is where nothing is given. */
  shape: Readonly<Record<string, z.ZodType>>;
  /** Inputs that are secret, given as a secret or not. */
  secrets: readonly string[];
  /** What is wrong with inputs that are good one by one, where any can be; may hold what is not known yet. */
  together?(inputs: Properties): CheckFailure[];
  diff(connection: Connection, request: DiffRequest): DiffResult;
  create(connection: Connection, request: CreateRequest): Promise<State>;
  read(connection: Connection, request: ReadRequest): Promise<State>;
  update(connection: Connection, request: UpdateRequest): Promise<Properties>;
  delete(connection: Connection, request: DeleteRequest): Promise<void>;
}

/** How inputs differ, by name. @param replaces those whose change calls for another resource. */
export function differences(
  before: Properties,
  after: Properties,
  names: readonly string[],
  replaces: readonly string[] = [],
): Map<string, PropertyDiff> {
  const found = names.filter((name) => !equal(before[name], after[name]));
  return new Map(
    found.map((name) => {
      const kind = before[name] === undefined ? "add" : after[name] === undefined ? "delete" : "update";
      return [name, { kind: replaces.includes(name) ? `${kind}-replace` : kind, input: true }];
    }),
  );
}
