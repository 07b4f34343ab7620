import * as buckets from "./buckets.ts";
import type { Call } from "./call.ts";
import * as domains from "./domains.ts";
import type { Json } from "./envelope.ts";
import * as scripts from "./scripts.ts";
import { querySql } from "./analytics.ts";
import * as tokens from "./tokens.ts";

/** Permission groups without "Read" or "Write" at their end: a GET needs either, any other call "Write". */
type Area =
  | "Workers R2 Storage"
  | "Account API Tokens"
  | "Workers Scripts"
  | "Workers Routes"
  | "Account Analytics"
  | "none";

type Handler = (call: Call) => Promise<Json | Response> | Json | Response;

export interface Route {
  /** With `:name` where something is named; account and zone are ids. */
  path: string;
  area: Area;
  methods: Readonly<Record<string, Handler>>;
}

/** All that the sandbox plays of Cloudflare's API. */
export const ROUTES: readonly Route[] = [
  {
    path: "accounts/:account/r2/buckets",
    area: "Workers R2 Storage",
    methods: { GET: buckets.listBuckets, POST: buckets.createBucket },
  },
  {
    path: "accounts/:account/r2/buckets/:bucket",
    area: "Workers R2 Storage",
    methods: { GET: buckets.getBucket, PATCH: buckets.editBucket, DELETE: buckets.deleteBucket },
  },
  {
    path: "accounts/:account/r2/buckets/:bucket/lifecycle",
    area: "Workers R2 Storage",
    methods: { GET: buckets.getLifecycle, PUT: buckets.putLifecycle },
  },
  {
    path: "accounts/:account/r2/buckets/:bucket/domains/managed",
    area: "Workers R2 Storage",
    methods: { GET: buckets.getManagedDomain, PUT: buckets.putManagedDomain },
  },
  {
    path: "accounts/:account/tokens",
    area: "Account API Tokens",
    methods: { GET: tokens.listTokens, POST: tokens.createToken },
  },
  {
    path: "accounts/:account/tokens/permission_groups",
    area: "Account API Tokens",
    methods: { GET: tokens.permissionGroups },
  },
  { path: "accounts/:account/tokens/verify", area: "none", methods: { GET: tokens.verifyToken } },
  {
    path: "accounts/:account/tokens/:token",
    area: "Account API Tokens",
    methods: { GET: tokens.getToken, PUT: tokens.putToken, DELETE: tokens.deleteToken },
  },
  {
    path: "accounts/:account/workers/scripts",
    area: "Workers Scripts",
    methods: { GET: scripts.listScripts },
  },
  {
    path: "accounts/:account/workers/scripts/:script",
    area: "Workers Scripts",
    methods: { GET: scripts.getContent, PUT: scripts.putScript, DELETE: scripts.deleteScript },
  },
  {
    path: "accounts/:account/workers/scripts/:script/content/v2",
    area: "Workers Scripts",
    methods: { GET: scripts.getContent },
  },
  {
    path: "accounts/:account/workers/scripts/:script/settings",
    area: "Workers Scripts",
    methods: { GET: scripts.getSettings },
  },
  {
    path: "accounts/:account/workers/scripts/:script/subdomain",
    area: "Workers Scripts",
    methods: { GET: scripts.getSubdomain, POST: scripts.setSubdomain, DELETE: scripts.setSubdomain },
  },
  {
    path: "accounts/:account/workers/services/:script",
    area: "Workers Scripts",
    methods: { GET: scripts.getService },
  },
  {
    path: "accounts/:account/workers/domains",
    area: "Workers Scripts",
    methods: { GET: domains.listDomains, PUT: domains.putDomain },
  },
  {
    path: "accounts/:account/workers/domains/:domain",
    area: "Workers Scripts",
    methods: { GET: domains.getDomain, DELETE: domains.deleteDomain },
  },
  {
    path: "zones/:zone/workers/routes",
    area: "Workers Routes",
    methods: { GET: domains.listRoutes, POST: domains.createRoute },
  },
  {
    path: "zones/:zone/workers/routes/:route",
    area: "Workers Routes",
    methods: { GET: domains.getRoute, PUT: domains.putRoute, DELETE: domains.deleteRoute },
  },
  {
    path: "accounts/:account/analytics_engine/sql",
    area: "Account Analytics",
    methods: { GET: querySql, POST: querySql },
  },
];
