import { grantedFor } from "../../attic/permissions.ts";
import type { EdgeCache } from "../layout.ts";
import { answer } from "./answer.ts";
import { decodeBase64 } from "./base64.ts";
import type { Call } from "./call.ts";
import { missing } from "./missing.ts";
import type { Headers, Response } from "./platform.ts";
import { readToken } from "./token.ts";

/**
 * Lets a request in to a cache, or gives what it is answered instead.
 *
 * A cache that nobody knows and one that is private are told apart only by who may pull from them: all others hear
 * the same, as at Attic, which answers 401 before it says that there is no such cache.
 */
export async function admit(call: Call, name: string): Promise<EdgeCache | Response> {
  const cache = call.edge.byName.get(name);
  if (cache?.isPublic === true) return cache;
  if (call.edge.key === undefined) return REFUSED.uncheckable();
  if (!(await mayPull(call, name))) return REFUSED.unauthorized();
  return cache ?? missing(false);
}

/** Whether the request's token grants pull on a cache; exactly as Attic reads it. */
export async function mayPull({ request, edge }: Call, name: string): Promise<boolean> {
  const { token: check } = edge.config;
  const token = fromHeader(request.headers);
  if (token === undefined || edge.key === undefined || check.algorithm !== "RS256") return false;
  const claim = await readToken(edge.key, check, token);
  return claim !== undefined && grantedFor(claim, name).has("pull");
}

/** Either a bearer token, or the password of basic authentication, which is what Nix sends. */
function fromHeader(headers: Headers): string | undefined {
  const [, scheme = "", rest = ""] = /^(bearer|basic) (.*)$/i.exec(headers.get("authorization") ?? "") ?? [];
  if (scheme.toLowerCase() === "bearer") return rest;
  const pair = new TextDecoder().decode(decodeBase64(rest));
  const colon = pair.indexOf(":");
  return colon < 0 ? undefined : pair.slice(colon + 1);
}

const REFUSED = {
  unauthorized: () =>
    answer(
      401,
      "This needs a token that grants pull on the cache: as the password in netrc, or as Bearer.\n",
      {
        "www-authenticate": 'Basic realm="Nix binary cache", charset="UTF-8"',
      },
    ),
  /** No token would help, so none is asked for. */
  uncheckable: () =>
    answer(
      403,
      "This edge serves public caches only: the server signs its tokens with HS256, and who can check those can " +
        "also make them. Use the server itself, or let it sign with RS256.\n",
    ),
};
