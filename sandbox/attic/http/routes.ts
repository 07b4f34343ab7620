import { isCacheName } from "../../../components/attic/names.ts";
import { getNar, getNarInfo, getNixCacheInfo } from "../api/binary-cache.ts";
import { configureCache, createCache, destroyCache, getCacheConfig } from "../api/cache-config.ts";
import { getMissingPaths } from "../api/missing-paths.ts";
import { uploadPath } from "../api/upload-path.ts";
import type { Attic } from "../attic.ts";
import type { Call, Reply } from "./call.ts";
import { refuse } from "./refusal.ts";

export type Handler = (attic: Attic, call: Call) => Promise<Reply> | Reply;
type Methods = Readonly<Record<string, Handler>>;

const PAGE = "<!doctype html><title>Attic Binary Cache</title><p>A stand-in for Attic's server.</p>\n";
const placeholder: Handler = () => ({
  status: 200,
  headers: { "content-type": "text/html; charset=utf-8" },
  body: PAGE,
});

/** Every path that Attic answers, in which `:name` stands for one segment; the first that fits is taken. */
const ROUTES: readonly (readonly [path: string, methods: Methods])[] = [
  ["/", { GET: placeholder }],
  ["/:cache/nix-cache-info", { GET: getNixCacheInfo }],
  ["/:cache/attic-cache-info", { GET: getCacheConfig }],
  ["/:cache/:path", { GET: getNarInfo }],
  ["/:cache/nar/:path", { GET: getNar }],
  ["/_api/v1/get-missing-paths", { POST: getMissingPaths }],
  ["/_api/v1/upload-path", { PUT: uploadPath }],
  [
    "/_api/v1/cache-config/:cache",
    { GET: getCacheConfig, POST: createCache, PATCH: configureCache, DELETE: destroyCache },
  ],
];

export interface Found {
  methods: Methods;
  /** @throws Refusal where a part of the path is no name of a cache. */
  params: () => Record<string, string>;
}

/** @throws Refusal where there is no such path. */
export function findRoute(path: string): Found {
  const segments = path.split("/");
  for (const [route, methods] of ROUTES) {
    const names = route.split("/");
    const fits =
      names.length === segments.length &&
      names.every((name, index) =>
        name.startsWith(":") ? segments[index] !== "" : name === segments[index],
      );
    if (!fits) continue;
    return { methods, params: () => paramsOf(names, segments) };
  }
  throw refuse.notFound();
}

/** What a path takes, as the header `Allow` says it. */
export function allowed(methods: Methods): string {
  return Object.keys(methods)
    .flatMap((method) => (method === "GET" ? ["GET", "HEAD"] : [method]))
    .join(",");
}

function paramsOf(names: readonly string[], segments: readonly string[]): Record<string, string> {
  const entries = names.flatMap((name, index) =>
    name.startsWith(":") ? [[name.slice(1), decode(name.slice(1), segments[index] ?? "")] as const] : [],
  );
  return Object.fromEntries(entries);
}

function decode(name: string, segment: string): string {
  let text: string;
  try {
    text = decodeURIComponent(segment);
  } catch {
    throw refuse.plain(400, `Invalid URL: Invalid UTF-8 in \`${name}\``);
  }
  if (name === "cache" && !isCacheName(text))
    throw refuse.plain(400, `Invalid URL: Invalid cache name ${JSON.stringify(text)}`);
  return text;
}
