import type { z } from "zod";
import type { KeyMeta } from "./leaf.ts";

/** What this project reads of a zod schema: zod has no public type that covers every kind of one. */
export interface Schema {
  def: {
    type: string;
    shape?: Record<string, Schema>;
    innerType?: Schema;
    element?: Schema;
    options?: Schema[];
    discriminator?: string;
    values?: unknown[];
    defaultValue?: unknown;
  };
}

/** Takes off what only says that a value may be missing. */
export function bare(schema: Schema): Schema {
  return schema.def.innerType === undefined ? schema : bare(schema.def.innerType);
}

/** The documentation of a key, which may stand inside of what says that it may be missing. */
export function meta(schema: Schema | undefined): KeyMeta | undefined {
  if (schema === undefined) return undefined;
  const own = (schema as unknown as z.ZodType).meta() as KeyMeta | undefined;
  return own?.allowed === undefined && schema.def.innerType ? meta(schema.def.innerType) : own;
}
