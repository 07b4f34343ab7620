import { COMMON } from "../answer.ts";
import type { Call } from "../call.ts";
import { crypto, Response } from "../platform.ts";
import { readStatus } from "../read-status.ts";
import { pageText } from "./page-text.ts";
import { STYLE } from "./style.ts";

/** What a person sees who opens the edge's address in a browser. It is the same for everybody, whatever their token. */
export async function page({ edge, environment }: Call): Promise<Response> {
  // A page that cannot say how old the mirror is still says how to use the cache.
  const status = await readStatus(environment.BUCKET).catch(() => null);
  return new Response(pageText(edge.config, status, Date.now()).text, {
    headers: {
      ...COMMON,
      "content-type": "text/html; charset=utf-8",
      "cache-control": "public, max-age=60",
      "content-security-policy":
        `default-src 'none'; style-src '${await hashOf(STYLE)}'; ` +
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
      "referrer-policy": "no-referrer",
    },
  });
}

/** The only style that a browser lets stand in this page. */
async function hashOf(text: string): Promise<string> {
  const hash = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text));
  return `sha256-${btoa(String.fromCharCode(...new Uint8Array(hash)))}`;
}
