import { compactVerify } from "jose";
import { z } from "zod";
import { isCachePattern } from "../../components/attic/names.ts";
import { type AtticClaim, CLAIM } from "../../components/attic/permissions.ts";
import { decodeBase64 } from "./config/base64.ts";
import type { Config } from "./config/load.ts";

/** What a token that holds says. */
export interface Token {
  subject: string | undefined;
  claim: AtticClaim;
}

const flag = z.literal([0, 1]).optional();
const grant = z.object({ r: flag, w: flag, d: flag, cc: flag, cr: flag, cq: flag, cd: flag });
const text = z.string().optional();
const time = z.number().optional();

/** A claim that is not of this form makes the whole token void (token/src/lib.rs at b7c9056). */
const claims = z.object({
  sub: text,
  iss: text,
  aud: z.union([z.string(), z.array(z.string())]).optional(),
  exp: time,
  nbf: time,
  iat: time,
  [CLAIM]: z.object({ caches: z.record(z.string().refine(isCachePattern), grant) }),
});

type Claims = z.infer<typeof claims>;

/** @returns the token of a request, or undefined where there is none or it does not hold: nobody is told why. */
export async function readToken(
  config: Config,
  authorization: string | undefined,
): Promise<Token | undefined> {
  const text = authorization === undefined ? undefined : fromHeader(authorization);
  if (text === undefined) return undefined;
  const { algorithm, key } = config.signingKey;
  try {
    const { payload, protectedHeader } = await compactVerify(text, key, { algorithms: [algorithm] });
    if (!/^(.*\+)?JWT$/i.test(protectedHeader.typ ?? "JWT")) return undefined;
    const data = claims.parse(JSON.parse(Buffer.from(payload).toString()));
    if (!holdsNow(data) || !isForUs(config, data)) return undefined;
    return { subject: data.sub, claim: data[CLAIM] as AtticClaim };
  } catch {
    return undefined;
  }
}

/** Either a bearer token, or the password of basic authentication, which is what Nix sends. */
function fromHeader(header: string): string | undefined {
  const [, scheme = "", rest = ""] = /^(bearer|basic) (.*)$/i.exec(header) ?? [];
  if (scheme.toLowerCase() === "bearer") return rest;
  const [, password] = /^[^:]*:(.*)$/s.exec(decodeBase64(rest)?.toString() ?? "") ?? [];
  return password;
}

/** To the second, with no tolerance: a token that says that it was made in the future is none either. */
function holdsNow({ exp = Infinity, nbf = 0, iat = 0 }: Claims): boolean {
  const now = Date.now() / 1000;
  return now <= Math.trunc(exp) && now >= Math.trunc(nbf) && now >= Math.trunc(iat);
}

function isForUs({ jwt }: Config, { iss, aud = [] }: Claims): boolean {
  const { "token-bound-issuer": issuer, "token-bound-audiences": audiences } = jwt;
  if (issuer !== undefined && iss !== issuer) return false;
  return audiences === undefined || [aud].flat().some((audience) => audiences.includes(audience));
}
