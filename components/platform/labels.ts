import type { Labels } from "./types.ts";

/** What one set of pods is: the software in it, and the part that it plays in the stack. */
export interface Role {
  /** The software: attic, postgres, garage ... */
  name: string;
  /** Its part: server, collector, database ... */
  component: string;
  /** The image that its pods run, where an object stands for pods. */
  image?: string;
}

/** The labels by which the pods of a role are found. They never change: a selector cannot be changed. */
export function selectorLabels(instance: string, role: Role): Labels {
  return {
    "app.kubernetes.io/name": role.name,
    "app.kubernetes.io/instance": instance,
    "app.kubernetes.io/component": role.component,
  };
}

/**
 * The labels that Kubernetes recommends for every object.
 *
 * @param instance the stack's name, so that two stacks in one cluster are told apart.
 */
export function objectLabels(instance: string, role: Role): Labels {
  return {
    ...selectorLabels(instance, role),
    "app.kubernetes.io/part-of": "attic-stack",
    "app.kubernetes.io/managed-by": "pulumi",
    ...(role.image !== undefined && versionLabel(role.image)),
  };
}

/** The tag of an image; one that is pinned by its digest alone has no version that a label could hold. */
function versionLabel(image: string): Labels {
  const tag = /:([A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?)(@|$)/.exec(
    image.split("/").at(-1) ?? "",
  )?.[1];
  return tag === undefined ? {} : { "app.kubernetes.io/version": tag };
}
