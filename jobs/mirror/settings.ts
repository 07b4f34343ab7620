import { readFileSync } from "node:fs";
import { isCacheName } from "../../components/attic/names.ts";
import type { DatabaseTarget } from "./database/database.ts";
import type { S3Target } from "./s3/bucket.ts";
import { wordsOf } from "./trouble.ts";

/** What the file that MIRROR_CONFIG names may say. */
export interface MirrorConfig {
  /** Names of the caches that the edge serves. */
  caches: string[];
  /** How many paths are copied at once. */
  concurrency: number;
  /** How long a NAR stays that no narinfo names any more. */
  graceSeconds: number;
  /** How long a server may say nothing. */
  silenceSeconds: number;
  /** How long a call is tried again. */
  retrySeconds: number;
  /** How old what is known of the bucket may become before the bucket is looked at as a whole. */
  listSeconds: number;
}

/** Where it stands which NARs were read at the edge. */
export interface ReadsSettings {
  url: string;
  account: string;
  /** Secret. */
  token: string;
  dataset: string;
  database: DatabaseTarget;
}

export interface Settings {
  config: MirrorConfig;
  database: DatabaseTarget;
  /** With its slash at the end. */
  atticUrl: string;
  /** Secret. */
  atticToken: string;
  s3: S3Target;
  reads?: ReadsSettings;
  /** All that must not be shown. */
  secrets: string[];
}

/** Settings that make no sense; the message has a line for each mistake, and shows no secret. */
export class WrongSettings extends Error {
  override readonly name = "WrongSettings";
}

type Environment = Readonly<Record<string, string | undefined>>;

/** Unless the file says otherwise. */
const USUAL: Omit<MirrorConfig, "caches"> = {
  concurrency: 16,
  graceSeconds: 86_400,
  silenceSeconds: 30,
  retrySeconds: 60,
  listSeconds: 7 * 86_400,
};

const CLOUDFLARE = "https://api.cloudflare.com/client/v4";
const READS = ["ANALYTICS_ACCOUNT", "ANALYTICS_TOKEN", "ANALYTICS_DATASET", "TOUCH_DATABASE_URL"] as const;

/** Reads variables one by one, and collects what is wrong with them. */
export class Variables {
  readonly mistakes: string[] = [];
  readonly secrets: string[] = [];
  readonly #environment: Environment;

  constructor(environment: Environment) {
    this.#environment = environment;
  }

  has(name: string): boolean {
    return this.#plain(name) !== undefined || this.#plain(`${name}_FILE`) !== undefined;
  }

  /** A variable, or the file that the variable of that name with `_FILE` names. */
  text(name: string, usual?: string): string {
    const value = this.#plain(name) ?? this.file(`${name}_FILE`)?.trim() ?? usual;
    if (value === undefined) this.mistakes.push(`${name} is not set`);
    return value ?? "";
  }

  secret(name: string): string {
    const value = this.text(name);
    this.secrets.push(value);
    return value;
  }

  /** A URL of PostgreSQL. */
  database(name: string): DatabaseTarget {
    const url = this.secret(name);
    const isUrl = URL.canParse(url) && /^postgres(ql)?:$/.test(new URL(url).protocol);
    if (url !== "" && !isUrl) this.mistakes.push(`${name} is not a URL of PostgreSQL`);
    if (isUrl) this.secrets.push(new URL(url).password, decodeURIComponent(new URL(url).password));
    const ca = this.file("DATABASE_CA");
    return { url, ...(ca !== undefined && { ca }) };
  }

  web(name: string, usual?: string): string {
    const url = this.text(name, usual);
    if (url !== "" && !(URL.canParse(url) && /^https?:$/.test(new URL(url).protocol)))
      this.mistakes.push(`${name} is not an address of the web`);
    return url;
  }

  /** What is in a file that a variable names; undefined where none is named. */
  file(name: string): string | undefined {
    const path = this.#plain(name);
    if (path === undefined) return undefined;
    try {
      return readFileSync(path, "utf8");
    } catch (error) {
      this.mistakes.push(`the file that ${name} names cannot be read: ${wordsOf(error)}`);
      return undefined;
    }
  }

  /** @throws WrongSettings where something was wrong. */
  done(): void {
    if (this.mistakes.length > 0) throw new WrongSettings(this.mistakes.join("\n"));
  }

  #plain(name: string): string | undefined {
    const { [name]: value } = this.#environment;
    return value === "" ? undefined : value;
  }
}

/** @throws WrongSettings with all mistakes. */
export function readSettings(environment: Environment): Settings {
  const variables = new Variables(environment);
  const atticUrl = variables.web("ATTIC_URL");
  if (atticUrl !== "" && !atticUrl.endsWith("/")) variables.mistakes.push("ATTIC_URL must end in a slash");
  const settings: Settings = {
    config: readConfig(variables),
    database: variables.database("DATABASE_URL"),
    atticUrl,
    atticToken: variables.secret("ATTIC_TOKEN"),
    s3: {
      endpoint: variables.web("S3_ENDPOINT"),
      region: variables.text("S3_REGION", "auto"),
      bucket: variables.text("S3_BUCKET"),
      accessKeyId: variables.text("AWS_ACCESS_KEY_ID"),
      secretAccessKey: variables.secret("AWS_SECRET_ACCESS_KEY"),
      ...(variables.has("AWS_SESSION_TOKEN") && { sessionToken: variables.secret("AWS_SESSION_TOKEN") }),
    },
    secrets: variables.secrets,
  };
  if (READS.some((name) => variables.has(name))) settings.reads = readReads(variables);
  variables.done();
  return settings;
}

function readReads(variables: Variables): ReadsSettings {
  const dataset = variables.text("ANALYTICS_DATASET");
  if (dataset !== "" && !/^\w+$/.test(dataset))
    variables.mistakes.push("ANALYTICS_DATASET is not the name of a dataset");
  return {
    url: variables.web("ANALYTICS_URL", CLOUDFLARE).replace(/\/$/, ""),
    account: variables.text("ANALYTICS_ACCOUNT"),
    token: variables.secret("ANALYTICS_TOKEN"),
    dataset,
    database: variables.database("TOUCH_DATABASE_URL"),
  };
}

function readConfig(variables: Variables): MirrorConfig {
  const text = variables.has("MIRROR_CONFIG") ? variables.file("MIRROR_CONFIG") : undefined;
  if (!variables.has("MIRROR_CONFIG")) variables.mistakes.push("MIRROR_CONFIG is not set");
  const config: MirrorConfig = { caches: [], ...USUAL };
  if (text === undefined) return config;
  const wrong = (words: string) => variables.mistakes.push(`the file that MIRROR_CONFIG names ${words}`);
  let said: unknown;
  try {
    said = JSON.parse(text);
  } catch {
    said = undefined;
  }
  if (typeof said !== "object" || said === null) {
    wrong("is no JSON object");
    return config;
  }
  for (const [name, value] of Object.entries(said)) {
    if (name === "caches") {
      if (Array.isArray(value) && value.every((each) => typeof each === "string" && isCacheName(each)))
        config.caches = [...new Set(value as string[])].sort();
      else wrong("has caches that are no list of names of caches");
    } else if (name in USUAL) {
      if (typeof value === "number" && value >= 0 && Number.isFinite(value))
        Object.assign(config, { [name]: value });
      else wrong(`has ${name} that is no number, or below 0`);
    } else wrong(`knows no ${name}: ${["caches", ...Object.keys(USUAL)].join(", ")} are known`);
  }
  if (!("caches" in said)) wrong("names no caches");
  if (!Number.isInteger(config.concurrency) || config.concurrency < 1 || config.concurrency > 256)
    wrong("has a concurrency that is not from 1 to 256");
  return config;
}
