import { Fault, NotYet, type Container, type EnvVar, type Pod } from "./objects.ts";

/** The content of a Secret or a ConfigMap, by key. */
export type Data = ReadonlyMap<string, Buffer>;

/** What a pod takes from the cluster, read when its process starts, as a kubelet does. */
export interface Sources {
  secrets: ReadonlyMap<string, Data>;
  configMaps: ReadonlyMap<string, Data>;
}

type Kind = "Secret" | "ConfigMap";

/** One of a pod's sources, or undefined where it may be missing and is. @throws NotYet where it may not. */
export function source(sources: Sources, kind: Kind, name: string, optional = false): Data | undefined {
  const found = (kind === "Secret" ? sources.secrets : sources.configMaps).get(name);
  if (found === undefined && !optional) throw new NotYet(`${kind} ${name} does not exist`);
  return found;
}

/**
 * The environment of a container as its pod spec says it, `$(NAME)` replaced. What the image sets is not in it.
 *
 * @throws NotYet where a Secret, a ConfigMap or a key of one is missing.
 */
export function environmentOf(container: Container, pod: Pod, sources: Sources): Record<string, string> {
  const env: Record<string, string> = {};
  for (const { prefix = "", secretRef, configMapRef } of container.envFrom ?? []) {
    const [kind, ref] = secretRef ? (["Secret", secretRef] as const) : (["ConfigMap", configMapRef] as const);
    const data = source(sources, kind, ref?.name ?? "", ref?.optional);
    for (const [key, value] of data ?? []) env[`${prefix}${key}`] = value.toString();
  }
  for (const variable of container.env ?? []) {
    const value = variable.valueFrom ? valueFrom(variable, pod, sources) : expand(variable.value ?? "", env);
    if (value !== undefined) env[variable.name] = value;
  }
  return env;
}

function valueFrom({ name, valueFrom: from }: EnvVar, pod: Pod, sources: Sources): string | undefined {
  if (from?.fieldRef) return field(from.fieldRef.fieldPath, pod);
  const [kind, ref] = from?.secretKeyRef
    ? (["Secret", from.secretKeyRef] as const)
    : (["ConfigMap", from?.configMapKeyRef] as const);
  if (ref === undefined)
    throw new Fault(`the variable ${name} takes its value from what the sandbox does not play`);
  const value = source(sources, kind, ref.name ?? "", ref.optional)?.get(ref.key);
  if (value === undefined && ref.optional !== true)
    throw new NotYet(
      `${kind} ${ref.name ?? ""} has no key ${ref.key}, which the variable ${name} is made of`,
    );
  return value?.toString();
}

/** What the downward API has to say of a pod. @throws Fault where the sandbox does not know. */
export function field(path: string, { metadata, spec, status }: Pod): string {
  const [, group, key = ""] = /^metadata\.(labels|annotations)\['(.+)'\]$/.exec(path) ?? [];
  if (group !== undefined) return metadata?.[group as "labels" | "annotations"]?.[key] ?? "";
  const fields: Record<string, string | undefined> = {
    "metadata.name": metadata?.name,
    "metadata.namespace": metadata?.namespace,
    "metadata.uid": metadata?.uid,
    "spec.nodeName": spec?.nodeName,
    "spec.serviceAccountName": spec?.serviceAccountName,
    "status.hostIP": status?.hostIP,
    "status.podIP": status?.podIP,
  };
  if (!Object.hasOwn(fields, path)) throw new Fault(`the sandbox does not know a pod's ${path}`);
  return fields[path] ?? "";
}

/**
 * Replaces `$(NAME)` by the variable's value; `$$` is a dollar sign, and a name that is not known stays as it is.
 *
 * https://kubernetes.io/docs/tasks/inject-data-application/define-interdependent-environment-variables/
 */
export function expand(text: string, env: Readonly<Record<string, string>>): string {
  return text.replace(/\$(?:\$|\(([^()$]*)\))/g, (whole, name: string | undefined) => {
    if (name === undefined) return "$";
    return Object.hasOwn(env, name) ? (env[name] ?? "") : whole;
  });
}
