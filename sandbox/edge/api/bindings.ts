import type { BindingState } from "../state.ts";
import { type Call, param } from "./call.ts";
import { ApiError, isRecord, type Json, plain } from "./envelope.ts";

/** The fields that each type of binding needs and may have. */
const TYPES: Readonly<Record<string, { needs: string; may?: readonly string[] }>> = {
  r2_bucket: { needs: "bucket_name", may: ["jurisdiction"] },
  analytics_engine: { needs: "dataset" },
  plain_text: { needs: "text" },
  secret_text: { needs: "text" },
  json: { needs: "json" },
};

/** The bindings of an upload, where all of them are such as the sandbox's Workers can have. */
export function checkBindings(call: Call, given: Json): BindingState[] {
  if (!Array.isArray(given)) throw new ApiError(400, 10021, "bindings must be a list.");
  const bindings = given.map((binding) => checkBinding(call, binding));
  const names = bindings.map(({ name }) => name);
  const twice = names.find((name, index) => names.indexOf(name) < index);
  if (twice !== undefined) throw new ApiError(400, 10021, `Two bindings have the name ${twice}.`);
  return bindings;
}

/** A binding as the API tells it: what a secret is, it does not. */
export function shownBinding({ text, ...binding }: BindingState): Json {
  return { ...binding, ...(text !== undefined && binding.type !== "secret_text" && { text }) };
}

function checkBinding(call: Call, binding: Json): BindingState {
  if (!isRecord(binding)) throw new ApiError(400, 10021, "A binding must be an object.");
  const { type, name } = binding;
  if (typeof name !== "string" || !/^[A-Za-z_$][\w$]*$/.test(name))
    throw new ApiError(
      400,
      10021,
      `A binding has the name ${JSON.stringify(name)}, which no variable can have.`,
    );
  const kind = TYPES[plain(type)];
  if (!kind)
    throw new ApiError(
      400,
      10021,
      `The binding ${name} has the type ${plain(type)}, which the sandbox's Cloudflare does not play; ` +
        `it plays ${Object.keys(TYPES).join(", ")}.`,
    );
  const value = binding[kind.needs];
  const missing = kind.needs === "json" ? value === undefined : typeof value !== "string";
  if (missing) throw new ApiError(400, 10021, `The binding ${name} needs ${kind.needs}.`);
  const fields = ["type", "name", kind.needs, ...(kind.may ?? [])];
  const strange = Object.keys(binding).find((field) => !fields.includes(field));
  if (strange !== undefined) throw new ApiError(400, 10021, `The binding ${name} may not have ${strange}.`);
  if (type === "r2_bucket") findBucket(call, plain(value), plain(binding.jurisdiction ?? "default"));
  if (type === "analytics_engine" && !/^[A-Za-z_][A-Za-z0-9_]*$/.test(plain(value)))
    throw new ApiError(400, 10092, `The dataset ${plain(value)} may have letters, digits and _ only.`);
  return binding as BindingState;
}

function findBucket(call: Call, name: string, jurisdiction: string): void {
  const account = param(call, "account");
  const there = call.edge.state.buckets.some(
    (bucket) => bucket.account === account && bucket.name === name && bucket.jurisdiction === jurisdiction,
  );
  if (there) return;
  throw new ApiError(400, 10085, `R2 bucket '${name}' not found. Please use a different name and try again.`);
}
