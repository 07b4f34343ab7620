import type { CryptoKey } from "@cloudflare/workers-types";
import { isCachePattern } from "../../attic/names.ts";
import { type AtticClaim, CLAIM, PERMISSIONS } from "../../attic/permissions.ts";
import { decodeBase64 } from "./base64.ts";
import { RS256 } from "./import-key.ts";
import { crypto } from "./platform.ts";

/** A token for every cache that there may be is shorter by far, and Cloudflare lets headers of 128 KB through. */
const LONGEST = 16_384;

/** What tokens may be bound to. */
interface Bound {
  issuer?: string;
  audiences?: readonly string[];
}

type Claims = Readonly<Record<string, unknown>>;

/**
 * Checks a token by Attic's own rules, and by three that are stricter: it has to have an end, to know all that its
 * header calls critical, and no claim may be null.
 *
 * By WebCrypto and not by a library: jose's `jwtVerify` alone takes 18 of the 20 KB that this Worker may have. What of
 * a JWT's header decides anything is its algorithm, and of that there is one: keys that a header brings or names are
 * never looked at.
 *
 * @returns what it grants, or undefined where it does not hold: nobody is told why.
 */
export async function readToken(
  key: CryptoKey,
  bound: Bound,
  token: string,
): Promise<AtticClaim | undefined> {
  const [header = "", payload = "", signature = "", ...more] = token.split(".", 4);
  if (token.length > LONGEST || more.length > 0) return undefined;
  const { alg, typ = "JWT", crit } = readJson(header) ?? {};
  if (alg !== "RS256" || crit !== undefined) return undefined;
  if (typeof typ !== "string" || !/^(.*\+)?JWT$/i.test(typ)) return undefined;
  const signed = new TextEncoder().encode(`${header}.${payload}`);
  const mark = decodeUrl(signature);
  if (mark === undefined || !(await crypto.subtle.verify(RS256, key, mark, signed))) return undefined;
  const claims = readJson(payload);
  return claims !== undefined && holdsNow(claims) && isFor(bound, claims) && isAttic(claims[CLAIM])
    ? claims[CLAIM]
    : undefined;
}

/** To the second, with no tolerance: a token that says that it was made in the future is none either. */
function holdsNow({ exp, nbf = 0, iat = 0 }: Claims): boolean {
  const now = Date.now() / 1000;
  return isTime(exp) && isTime(nbf) && isTime(iat) && now <= exp && now >= nbf && now >= iat;
}

function isTime(value: unknown): value is number {
  return typeof value === "number" && Number.isSafeInteger(Math.trunc(value));
}

function isFor({ issuer, audiences }: Bound, { sub = "", iss, aud = [] }: Claims): boolean {
  const named: unknown[] = [aud].flat();
  if (![sub, iss ?? "", ...named].every((value) => typeof value === "string")) return false;
  return (
    (issuer === undefined || iss === issuer) &&
    (audiences?.some((audience) => named.includes(audience)) ?? true)
  );
}

/** One bad pattern, or a flag other than 0 and 1, voids the whole token, as at the server. */
function isAttic(claim: unknown): claim is AtticClaim {
  if (!isRecord(claim) || !isRecord(claim.caches)) return false;
  return Object.entries(claim.caches).every(
    ([pattern, grant]) =>
      isCachePattern(pattern) &&
      isRecord(grant) &&
      Object.values(PERMISSIONS).every((flag) => [undefined, 0, 1].includes(grant[flag] as undefined)),
  );
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function readJson(part: string): Claims | undefined {
  try {
    const text = new TextDecoder("utf-8", { fatal: true }).decode(decodeUrl(part));
    const value: unknown = JSON.parse(text);
    return isRecord(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function decodeUrl(part: string): Uint8Array | undefined {
  return /[+/=]/.test(part) ? undefined : decodeBase64(part.replaceAll("-", "+").replaceAll("_", "/"));
}
