import { containsSecret, isObject, Secret, type Properties } from "../../../provider/protocol/values.ts";
import { annotation, text, toObject, toProperties, type KubeObject } from "./object.ts";

/** What the state keeps of an object beside its live form. */
export interface Checkpoint {
  inputs: KubeObject;
  live: KubeObject;
}

/**
 * Outputs for the state: the live object, with the inputs that made it and the names that later updates need
 * under keys of their own.
 *
 * @param from the inputs as the program gave them, which say what is secret.
 */
export function toCheckpoint(
  inputs: KubeObject,
  live: KubeObject,
  from: Properties,
  initialApiVersion: string,
  fieldManager: string,
): Properties {
  const outputs = toProperties(live);
  const stored = toProperties(inputs);
  markSecrets(outputs, from);
  markSecrets(stored, from);
  return {
    ...outputs,
    __inputs: stored,
    __initialApiVersion: initialApiVersion,
    __fieldManager: fieldManager,
  };
}

/** Takes apart what {@link toCheckpoint} made. */
export function fromCheckpoint(outputs: Properties): Checkpoint {
  const live = toObject(outputs);
  const inputs = isObject(live.__inputs) ? live.__inputs : {};
  delete live.__inputs;
  return { inputs, live };
}

export function initialApiVersion(outputs: Properties, inputs: KubeObject): string {
  return text(outputs, "__initialApiVersion") || text(inputs, "apiVersion");
}

/**
 * The name under which the API server books the fields of this object: the one of the annotation, else the
 * one in the state, else a new one.
 */
export function fieldManager(state: Properties, inputs: KubeObject): string {
  return (
    annotation(inputs, "pulumi.com/patchFieldManager") ||
    text(state, "__fieldManager") ||
    `pulumi-kubernetes-${crypto.randomUUID().slice(0, 8)}`
  );
}

/**
 * Marks as secret what is secret in the inputs. Inside objects only the secret part is marked, a list is
 * secret as a whole; the data of a Secret always is.
 */
export function markSecrets(outputs: Properties, inputs: Properties): void {
  if (outputs.kind === "Secret") {
    for (const key of ["data", "stringData"]) {
      if (key in outputs) outputs[key] = new Secret(outputs[key] ?? null);
    }
    return;
  }
  for (const [key, given] of Object.entries(inputs)) {
    if (!Object.hasOwn(outputs, key)) continue;
    const out = outputs[key] ?? null;
    if (isObject(out) && isObject(given)) markSecrets(out, given);
    else if (!(out instanceof Secret) && containsSecret(given)) outputs[key] = new Secret(out);
  }
}
