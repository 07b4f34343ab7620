import type { KubernetesObject } from "./cluster.ts";
import type { State } from "./sandbox.ts";

/** Members of Secrets that everybody may know: names of users and keys, and certificates. */
const PUBLIC = ["username", "tls.crt", "AWS_ACCESS_KEY_ID", "GARAGE_DEFAULT_ACCESS_KEY"];

/** Secret values, each with a name of it, such as "attic-postgres-tls tls.key". */
export type Secrets = ReadonlyMap<string, string>;

/** The values in the cluster's Secrets; the part of a name that the engine made up is left out. */
export function secretsOfCluster(objects: readonly KubernetesObject[]): Secrets {
  const found = new Map<string, string>();
  for (const { kind, metadata, data } of objects) {
    if (kind !== "Secret") continue;
    const name = metadata.name.replace(/-[0-9a-f]{8}$/, "");
    for (const [key, value] of Object.entries(data ?? {})) {
      if (PUBLIC.includes(key)) continue;
      const text = Buffer.from(value, "base64").toString();
      found.set(text, `${name} ${key}`);
      // A URL's password stands in other places without the URL.
      const password = URL.canParse(text) ? decodeURIComponent(new URL(text).password) : "";
      if (password !== "") found.set(password, found.get(password) ?? `${name} ${key} password`);
    }
  }
  return found;
}

/** The mark of a secret in a state that was exported with its secrets in clear. */
const SIGNATURE = "4dabf18193072939515e22adb298388d";

/** The values that the engine itself holds as secrets, in a state with its secrets in clear. */
export function secretsOfState(state: State): Secrets {
  const found = new Map<string, string>();
  const resources = (state.deployment.resources ?? []).toSorted((a, b) => (a.urn < b.urn ? 1 : -1));
  for (const { urn, ...rest } of resources) {
    for (const [path, value] of marked(rest)) {
      // An object is secret as a whole where one member is: what is in Secrets is read from the cluster.
      if (typeof value === "string") found.set(value, `${urn.split("::").at(-1)} ${path}`);
    }
  }
  return found;
}

function marked(value: unknown, path = ""): [path: string, value: unknown][] {
  if (typeof value !== "object" || value === null) return [];
  const { plaintext } = value as { plaintext?: unknown };
  if (SIGNATURE in value && typeof plaintext === "string") return [[path, JSON.parse(plaintext)]];
  return Object.entries(value).flatMap(([key, inner]) => marked(inner, path === "" ? key : `${path}.${key}`));
}

/** Every form in which a text may stand somewhere: as it is, encoded, or escaped. */
export function formsOf(secret: string): string[] {
  const bytes = Buffer.from(secret);
  const plain = [secret, bytes.toString("base64"), bytes.toString("base64url"), encodeURIComponent(secret)];
  const all = [...plain, ...keyForms(secret)];
  return [...new Set([...all, ...all.map((form) => JSON.stringify(form).slice(1, -1))])];
}

/** What a private key as PEM may look like in other hands: in one line, out of its base64, or a part of it. */
function keyForms(secret: string): string[] {
  const decoded = Buffer.from(secret, "base64").toString();
  if (/^[A-Za-z0-9+/]+={0,2}$/.test(secret) && decoded.includes("-----BEGIN")) return formsOf(decoded);
  const [, body] = /^-----BEGIN [A-Z ]*PRIVATE KEY-----\n([^-]+)\n-----END/.exec(secret) ?? [];
  if (body === undefined) return [];
  const lines = body.split("\n");
  // The first lines, and in short keys all others too, hold the public half.
  const middle = lines.length > 20 ? [lines[Math.floor(lines.length / 2)] ?? ""] : [];
  return [lines.join(""), ...middle];
}

/** The names of the secrets that stand in a text, in whatever form. */
export function secretsIn(text: string, secrets: Secrets): string[] {
  return [...secrets].flatMap(([secret, name]) =>
    formsOf(secret).some((form) => text.includes(form)) ? [name] : [],
  );
}
