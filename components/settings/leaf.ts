import { z } from "zod";
import { RETENTION_RULE, toRetentionConfig } from "../attic/retention.ts";

/** What every key carries beside its type: what it is for, and in words what may stand there. */
export interface KeyMeta {
  description: string;
  allowed: string;
}

/** Gives a key its documentation. Both texts reach docs/settings.md, `allowed` also every refusal. */
export function key<T extends z.ZodType>(schema: T, description: string, allowed: string): T {
  return schema.meta({ description, allowed } satisfies KeyMeta);
}

/** RFC 1123, with two labels or more; an IP address, whose last label is a number, is none. */
const HOSTNAME =
  /^(?=.{1,253}$)(?!.*\.[0-9]+$)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/;
/** RFC 1123 label: what Kubernetes takes as the name of a namespace or a service. */
const LABEL = /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/;
/** RFC 1123 subdomain: the name of most other objects. */
const SUBDOMAIN = /^(?=.{1,253}$)[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*$/;
const QUANTITY = /^[1-9][0-9]*(Mi|Gi|Ti)$/;
const CPU = /^([1-9][0-9]*m|[1-9][0-9]*(\.[0-9]{1,3})?|0\.[0-9]{1,3})$/;
/** Registry, repository, tag, digest; at least one of the last two, so that nothing floats unseen. */
const IMAGE =
  /^[a-z0-9]+([._-][a-z0-9]+)*(:[0-9]+)?(\/[a-z0-9]+((\.|_{1,2}|-+)[a-z0-9]+)*)+(:[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}(@sha256:[0-9a-f]{64})?|@sha256:[0-9a-f]{64})$/;
const DURATION = /^([1-9][0-9]{0,5})(s|m|h|d|w|y)$/;
const BUCKET = /^(?!.*\.\.)(?!.*-$)[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/;
const REGION = /^[a-z0-9]([a-z0-9-]{0,62}[a-z0-9])?$/;
const CERTIFICATE = /^\s*(-----BEGIN CERTIFICATE-----[A-Za-z0-9+/=\s]+-----END CERTIFICATE-----\s*)+$/;

const SECONDS = { s: 1, m: 60, h: 3600, d: 86_400, w: 604_800, y: 31_536_000 } as const;

/** Seconds of a duration such as `12h`, `30d` or `1y` (365 days); `never` is 0, as Attic counts it. */
export function seconds(duration: string): number {
  if (duration === "never") return 0;
  const [, amount, unit] = DURATION.exec(duration) ?? [];
  if (amount === undefined) throw new RangeError(`not a duration: ${duration}`);
  return Number(amount) * SECONDS[unit as keyof typeof SECONDS];
}

/** Cores of an amount of CPU such as `500m` or `2`. */
export function cores(amount: string): number {
  return amount.endsWith("m") ? Number(amount.slice(0, -1)) / 1000 : Number(amount);
}

/** Bytes of a quantity such as `10Gi`. */
export function bytes(quantity: string): number {
  const amount = Number.parseInt(quantity, 10);
  const exponent = { Mi: 20, Gi: 30, Ti: 40 }[quantity.slice(-2)];
  if (exponent === undefined) throw new RangeError(`not a quantity: ${quantity}`);
  return amount * 2 ** exponent;
}

export const hostname = (description: string): z.ZodString =>
  key(z.string().regex(HOSTNAME), description, "a full host name in lower case, such as cache.example.com");

const HOST_HEADER = /^([a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?|\[[0-9a-f:.]+\])(:[1-9][0-9]{0,4})?$/;

/** What a client may put into the Host header: any name or address, and the port where it is not the scheme's. */
export const hostHeader = (description: string): z.ZodString =>
  key(
    z.string().regex(HOST_HEADER),
    description,
    "a host name or address, with a port where one is asked for",
  );

export const label = (description: string): z.ZodString =>
  key(
    z.string().regex(LABEL),
    description,
    "at most 63 of a-z, 0-9 and -, beginning and ending with a letter or digit",
  );

export const objectName = (description: string): z.ZodString =>
  key(z.string().regex(SUBDOMAIN), description, "the name of a Kubernetes object: a-z, 0-9, - and .");

export const quantity = (description: string): z.ZodString =>
  key(z.string().regex(QUANTITY), description, "a whole number with Mi, Gi or Ti, such as 50Gi");

export const cpu = (description: string): z.ZodString =>
  key(z.string().regex(CPU), description, 'cores as a text, such as "500m" or "2"');

export const image = (description: string): z.ZodString =>
  key(
    z.string().regex(IMAGE),
    description,
    "registry/repository with a tag, a digest or both, such as docker.io/library/postgres:18.4@sha256:...",
  );

export const interval = (description: string): z.ZodString =>
  key(z.string().regex(DURATION), description, "a whole number with s, m, h, d, w or y, such as 12h");

/** Attic keeps a retention as a signed 32-bit number of seconds: a longer one wraps and deletes everything. */
const MAX_RETENTION = 2 ** 31 - 1;

export const retention = (description: string): z.ZodString =>
  key(
    z
      .string()
      .regex(new RegExp(`^never$|${DURATION.source}`), { abort: true })
      .refine((text) => seconds(text) <= MAX_RETENTION),
    description,
    "never, or a whole number with s, m, h, d, w or y of at most 68y, such as 90d",
  );

/** What a cache may say of it, which the server's own default may not: `default`. */
export const cacheRetention = (description: string): z.ZodString =>
  key(z.string().refine(isRetention), description, RETENTION_RULE);

function isRetention(text: string): boolean {
  try {
    toRetentionConfig(text);
    return true;
  } catch {
    return false;
  }
}

export const wholeNumber = (description: string, min: number, max: number): z.ZodInt =>
  key(z.int().min(min).max(max), description, `a whole number from ${min} to ${max}`);

export const flag = (description: string): z.ZodBoolean => key(z.boolean(), description, "true or false");

export const bucket = (description: string): z.ZodString =>
  key(z.string().regex(BUCKET), description, "a bucket's name: 3 to 63 of a-z, 0-9, . and -");

export const region = (description: string): z.ZodString =>
  key(z.string().regex(REGION), description, "a region's name, such as eu-central-1, garage or auto");

export const url = (description: string): z.ZodURL =>
  key(
    z.url({ protocol: /^https?$/, hostname: /^[a-z0-9.-]+$/ }).regex(/^https?:\/\/[^/?#@]+\/?$/),
    description,
    "an http:// or https:// address without a path, such as https://s3.example.com",
  );

export const certificates = (description: string): z.ZodString =>
  key(z.string().regex(CERTIFICATE), description, "one or more certificates in PEM form");

export const choice = <const T extends readonly [string, ...string[]]>(
  description: string,
  values: T,
): z.ZodEnum<{ [K in T[number]]: K }> => key(z.enum(values), description, values.join(", "));

/** An object of which every key is known, and that may be left out where its keys have defaults. */
export const section = <T extends z.ZodRawShape>(
  description: string,
  shape: T,
): z.ZodObject<T, z.core.$strict> =>
  key(z.strictObject(shape), description, `an object with the keys ${Object.keys(shape).join(", ")}`);

/** CPU is not limited by default: a limit throttles a server that has nothing to share with. */
export const resources = (
  defaults: Readonly<{ cpu: string; memory: string; memoryLimit: string }>,
): z.ZodPrefault<ReturnType<typeof resourceSection>> => resourceSection(defaults).prefault({});

const resourceSection = (defaults: Readonly<{ cpu: string; memory: string; memoryLimit: string }>) =>
  section("What its pods ask for and may use.", {
    cpu: cpu("CPU that is asked for.").default(defaults.cpu),
    cpuLimit: cpu("CPU that may be used; without it there is no limit.").optional(),
    memory: quantity("Memory that is asked for.").default(defaults.memory),
    memoryLimit: quantity("Memory that may be used.").default(defaults.memoryLimit),
  });

export type Resources = z.infer<ReturnType<typeof resourceSection>>;
