import { EVERYTHING } from "./permissions.ts";
import { signToken, type TokenKey } from "./token.ts";

/** How long the administrator's token is valid, in seconds: minutes, though clocks may differ by five. */
const VALIDITY = 15 * 60;
/** It is made anew when less than this is left, in seconds. */
const MARGIN = 10 * 60;

/** What a server may ask of tokens beside the signature. */
export interface Audience {
  issuer?: string;
  audiences?: readonly string[];
}

/** Gives a token that may do everything with every cache, made when it is asked for and soon worthless. */
export function adminToken(key: TokenKey, bound: Audience): () => Promise<string> {
  let made: { token: Promise<string>; expiresAt: number } | undefined;
  return async () => {
    const now = Math.floor(Date.now() / 1000);
    if (made === undefined || made.expiresAt - now < MARGIN) {
      const expiresAt = now + VALIDITY;
      const token = signToken(key, {
        subject: "attic-stack",
        permissions: { "*": EVERYTHING },
        expiresAt,
        ...bound,
      });
      made = { token, expiresAt };
    }
    return await made.token;
  };
}
