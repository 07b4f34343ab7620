import type { Json } from "./api/envelope.ts";

/** All that the sandbox's Cloudflare remembers, beside what is in the buckets. It is kept as JSON, readable for its owner only. */
export interface State {
  version: 1;
  buckets: BucketState[];
  tokens: TokenState[];
  scripts: ScriptState[];
  domains: DomainState[];
  routes: RouteState[];
}

export interface BucketState {
  account: string;
  name: string;
  /** Tells it from others that had its name before. */
  id: string;
  jurisdiction: string;
  location: string;
  storageClass: string;
  created: string;
  rules: Json[];
}

export interface TokenState {
  account: string;
  id: string;
  name: string;
  status: string;
  issuedOn: string;
  modifiedOn: string;
  expiresOn?: string;
  notBefore?: string;
  condition?: Json;
  policies: Policy[];
  /** Lower-case hex SHA-256 of its value, which nobody is told twice; it is also the secret key of the S3 API. */
  hash: string;
}

export interface Policy {
  id: string;
  effect: string;
  permission_groups: { id: string }[];
  resources: Record<string, Json>;
}

export interface ScriptState {
  account: string;
  name: string;
  created: string;
  modified: string;
  /** SHA-256 of its modules. */
  etag: string;
  handlers: string[];
  /** The first is what runs; the others are what it imports. */
  modules: ModuleState[];
  /** Whether the first is a module, or a script that listens to "fetch". */
  isModule: boolean;
  bindings: BindingState[];
  compatibilityDate: string;
  compatibilityFlags: string[];
  /** The rest of what was said of it, which only comes back as it was given. */
  settings: Record<string, Json>;
  subdomain: { enabled: boolean; previews_enabled: boolean };
}

export interface ModuleState {
  name: string;
  type: string;
  /** Name of the file with its contents: their SHA-256. */
  file: string;
}

/** As the API has it: `{type: "r2_bucket", name: "BUCKET", bucket_name: "nix"}`. */
export interface BindingState {
  type: string;
  name: string;
  [field: string]: Json;
}

export interface DomainState {
  account: string;
  id: string;
  hostname: string;
  service: string;
  environment: string;
  zoneId: string;
  zoneName: string;
  certId: string;
}

export interface RouteState {
  zone: string;
  id: string;
  pattern: string;
  script?: string;
}

export const EMPTY: State = { version: 1, buckets: [], tokens: [], scripts: [], domains: [], routes: [] };

/** Whether anything is deployed that has to answer. */
export function isInUse(state: State): boolean {
  return state.buckets.length + state.tokens.length + state.scripts.length > 0;
}
