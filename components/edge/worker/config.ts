import { isCacheName } from "../../attic/names.ts";
import type { EdgeCache, EdgeConfig } from "../layout.ts";
import { importKey } from "./import-key.ts";
import type { CryptoKey } from "@cloudflare/workers-types";

/** An {@link EdgeConfig}, checked and ready for use. */
export interface Edge {
  config: EdgeConfig;
  byName: ReadonlyMap<string, EdgeCache>;
  /** What tokens are checked with; none where the server's tokens cannot be checked here. */
  key: CryptoKey | undefined;
}

/** What this isolate has read already: a binding stays the same for as long as the isolate lives. */
let known: { source: unknown; edge: Edge } | undefined;

/** @throws Error that names the key which is not in order. */
export async function readConfig(source: unknown): Promise<Edge> {
  if (known !== undefined && known.source === source) return known.edge;
  const config = (typeof source === "string" ? JSON.parse(source) : source) as EdgeConfig;
  check(config);
  const { token, caches } = config;
  const edge: Edge = {
    config,
    byName: new Map(caches.map((cache) => [cache.name, cache])),
    // Nothing that is still to come may be shared between requests: the key itself is, and not the promise of it.
    key: token.algorithm === "RS256" ? await importKey(token.publicKey) : undefined,
  };
  known = { source, edge };
  return edge;
}

/** The program that deploys the Worker has made it from checked settings: this finds what was changed by hand. */
function check({ url, caches, default: atRoot, token, pullThrough }: EdgeConfig): void {
  must(isUrl(url) && !url.endsWith("/"), "url");
  caches.forEach(({ name, isPublic, publicKey, storeDir, priority }, index) => {
    const at = `caches[${index}].`;
    must(isCacheName(name) && caches.findIndex((cache) => cache.name === name) === index, `${at}name`);
    must(typeof isPublic === "boolean", `${at}isPublic`);
    must(/^[^\s:]+:[A-Za-z0-9+/]+=*$/.test(publicKey), `${at}publicKey`);
    must(/^\/\S*[^\s/]$/.test(storeDir), `${at}storeDir`);
    must(Number.isInteger(priority), `${at}priority`);
  });
  must(atRoot === undefined || caches.some(({ name }) => name === atRoot), "default");
  must(["RS256", "HS256"].includes(token.algorithm), "token.algorithm");
  must(pullThrough === undefined || (isUrl(pullThrough) && pullThrough.endsWith("/")), "pullThrough");
}

function must(isRight: boolean, key: string): void {
  if (!isRight) throw new Error(`CONFIG: ${key} is not in order`);
}

function isUrl(text: unknown): text is string {
  return typeof text === "string" && /^https?:\/\/[^\s"'<>]+$/.test(text) && URL.canParse(text);
}
