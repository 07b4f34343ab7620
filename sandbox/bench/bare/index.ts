import { readFileSync } from "node:fs";
import k8s from "@pulumi/kubernetes";
import type pulumi from "@pulumi/pulumi";

/** One Kubernetes resource of another stack: its type token, its name and its inputs. */
export interface BareResource {
  type: string;
  name: string;
  inputs: Record<string, unknown>;
}

type Class = new (name: string, inputs: unknown) => pulumi.CustomResource;

/** The class of a type token such as `kubernetes:apps/v1:Deployment`; kinds that the SDK does not know are custom. */
function classOf(type: string): Class {
  const [, apiVersion = "", kind = ""] = type.split(":");
  const [group = "", version = ""] = apiVersion.split("/");
  const module = group.split(".")[0] ?? "";
  const known = (k8s as unknown as Record<string, Record<string, Record<string, Class>> | undefined>)[module];
  return known?.[version]?.[kind] ?? (k8s.apiextensions.CustomResource as unknown as Class);
}

const resources = JSON.parse(readFileSync(process.env.BARE_RESOURCES ?? "", "utf8")) as BareResource[];
for (const { type, name, inputs } of resources) new (classOf(type))(name, inputs);
