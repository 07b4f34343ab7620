import type { ResourceValidationPolicy } from "@pulumi/policy";
import { containersOf, templateOf, type Workload, workloadKind } from "./workload.ts";

const DOCS = "docs/policy.md#no-secret-in-plain-sight";

interface ConfigMap {
  data?: Record<string, string>;
  metadata?: { annotations?: Record<string, string> };
}

/**
 * A ConfigMap, an environment literal and an annotation can be read by everybody who may look at the
 * namespace, and stand in clear in every backup of the cluster. The message names the place, never the value.
 */
export const noSecretInPlainSight: ResourceValidationPolicy = {
  name: "no-secret-in-plain-sight",
  description: "Keys, passwords and database URLs stand in Secrets and nowhere else.",
  enforcementLevel: "mandatory",
  validateResource: ({ type, props }, report) => {
    const places: [string, unknown][] = [];
    if (type === "kubernetes:core/v1:ConfigMap") places.push(...entries("data", (props as ConfigMap).data));
    if (workloadKind(type) !== undefined) {
      for (const container of containersOf(props as Workload)) {
        for (const { name = "", value } of container.env ?? []) {
          places.push([`the variable ${name} of container ${container.name ?? ""}`, value]);
        }
        for (const word of [...(container.command ?? []), ...(container.args ?? [])]) {
          places.push([`the arguments of container ${container.name ?? ""}`, word]);
        }
      }
      if (!type.endsWith(":Pod"))
        places.push(...entries("template annotation", templateOf(props as Workload).metadata?.annotations));
    }
    if (type.startsWith("kubernetes:")) {
      places.push(...entries("annotation", (props as ConfigMap).metadata?.annotations));
    }
    for (const [place, value] of places) {
      const kind = typeof value === "string" ? secretKind(place, value) : undefined;
      if (kind !== undefined)
        report(`${kind} stands in clear in ${place}. Put it into a Secret. See ${DOCS}.`);
    }
  },
};

function entries(what: string, record: Record<string, string> | undefined): [string, string][] {
  return Object.entries(record ?? {}).map(([name, value]) => [`${what} ${name}`, value]);
}

const SECRET_NAMES =
  /(^|[^A-Z])(AWS_SECRET_ACCESS_KEY|ATTIC_SERVER_TOKEN_[HR]S256_SECRET_BASE64|[A-Z_]*PASSWORD|GARAGE_RPC_SECRET|GARAGE_ADMIN_TOKEN|GARAGE_DEFAULT_SECRET_KEY)$/;

/** What kind of secret a text holds, if it holds one. */
function secretKind(place: string, text: string): string | undefined {
  const name = /(?:variable|data|annotation) (\S+)/.exec(place)?.[1] ?? "";
  if (text !== "" && SECRET_NAMES.test(name)) return "A secret";
  for (const form of [text, decoded(text)]) {
    if (/-----BEGIN [A-Z ]*PRIVATE KEY-----/.test(form)) return "A private key";
    if (/\b[a-z][a-z0-9+.-]*:\/\/[^\s/:@]*:[^\s/@]+@/.test(form)) return "An address with a password";
    if (/(secret[_-]access[_-]key|secret-base64|rpc_secret|admin_token)\s*=\s*["'][^"']+["']/.test(form))
      return "A secret";
    if (/\beyJ[A-Za-z0-9_-]+\.eyJ[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+/.test(form)) return "A token";
  }
  return undefined;
}

/** A text that is base64 as what it stands for, or nothing. */
function decoded(text: string): string {
  return /^[A-Za-z0-9+/\s]{40,}={0,2}$/.test(text) ? Buffer.from(text, "base64").toString("latin1") : "";
}
