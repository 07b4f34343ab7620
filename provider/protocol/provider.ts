import type { Engine } from "./engine.ts";
import type { Properties } from "./values.ts";

/** What every request about one resource carries. */
export interface Subject {
  /** The resource's URN. */
  urn: string;
  /** Its type, `package:module:Name`, as in the URN but without the types of its parents. */
  type: string;
}

export interface CheckRequest extends Subject {
  /** The inputs of the last update as they were checked; empty for a new resource. */
  olds: Properties;
  news: Properties;
  /** Bytes that stay the same from a preview to the update that follows it; may be empty. */
  randomSeed: Uint8Array;
  /** The name that the project's or stack's autonaming settings want, or "disabled". */
  autonaming: { proposed: string } | "disabled" | undefined;
}

export interface CheckFailure {
  property: string;
  reason: string;
}

export interface CheckResult {
  inputs: Properties;
  failures?: CheckFailure[];
}

export interface DiffRequest extends Subject {
  id: string;
  /** The outputs of the last create or update. */
  olds: Properties;
  oldInputs: Properties;
  news: Properties;
  ignoreChanges: string[];
}

export type DiffKind = "add" | "add-replace" | "delete" | "delete-replace" | "update" | "update-replace";

/** How one property differs; `input` says that the path is one of the inputs. */
export interface PropertyDiff {
  kind: DiffKind;
  input: boolean;
}

export interface DiffResult {
  changes: boolean;
  replaces: string[];
  diffs?: string[];
  deleteBeforeReplace: boolean;
  /** By property path; absent where the plugin leaves the comparing of properties to the engine. */
  detailed?: Map<string, PropertyDiff>;
}

export interface CreateRequest extends Subject {
  inputs: Properties;
  /** Seconds from the resource's `customTimeouts`, 0 where there are none. */
  timeout: number;
  preview: boolean;
}

export interface ReadRequest extends Subject {
  id: string;
  /** Empty for an import. */
  outputs: Properties;
  inputs: Properties;
}

export interface UpdateRequest extends Subject {
  id: string;
  olds: Properties;
  news: Properties;
  timeout: number;
  ignoreChanges: string[];
  preview: boolean;
}

export interface DeleteRequest extends Subject {
  id: string;
  outputs: Properties;
  timeout: number;
}

/** A resource as it is now; an empty id says that it is gone. */
export interface State {
  id: string;
  outputs: Properties;
  inputs?: Properties;
}

export interface InvokeRequest {
  /** The function's token, `package:module:name`. */
  token: string;
  args: Properties;
}

/** What a plugin can do: one method for each call of the engine's provider protocol that it answers. */
export interface Provider {
  readonly name: string;
  /** The version of the npm SDK that this plugin stands beside. */
  readonly version: string;
  /** What `pulumi package get-schema` shows beside name and version. */
  readonly schema?: Readonly<Record<string, unknown>>;
  /** Words for a function or a component that is asked for and not there. */
  unknown?(what: string, token: string): string;
  checkConfig?(request: CheckRequest): CheckResult;
  diffConfig?(request: DiffRequest): DiffResult;
  configure?(variables: ReadonlyMap<string, string>, engine: Engine): Promise<void>;
  check(request: CheckRequest): Promise<CheckResult> | CheckResult;
  diff(request: DiffRequest): Promise<DiffResult> | DiffResult;
  create(request: CreateRequest): Promise<State> | State;
  read(request: ReadRequest): Promise<State> | State;
  update(request: UpdateRequest): Promise<Properties> | Properties;
  delete(request: DeleteRequest): Promise<void> | void;
  /** Answers a function; undefined where there is none of that name. */
  invoke?(request: InvokeRequest): Promise<Properties> | undefined;
  cancel?(): void;
}

/** The resource is there, but did not become ready: the engine keeps its state and shows the reasons. */
export class InitFailed extends Error {
  override readonly name = "InitFailed";
  readonly state: State;
  readonly reasons: string[];
  constructor(message: string, state: State, reasons: string[]) {
    super(message);
    this.state = state;
    this.reasons = reasons;
  }
}
