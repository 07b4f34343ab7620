import { join } from "node:path";
import { netrc } from "../../components/attic/netrc.ts";
import type { Permissions } from "../../components/attic/permissions.ts";
import { signToken, type TokenKey, type TokenRequest } from "../../components/attic/token.ts";
import { writeFileAtomically } from "../support/files.ts";
import { UserError } from "../support/user-error.ts";
import { type StorePath, textPath } from "./store-path.ts";

/** A cache of the stack, as its outputs have it. */
export interface CacheOutput {
  name: string;
  publicKey: string;
  isPublic: boolean;
}

/** A cache in which a path waits to be pulled. */
export interface Welcome extends CacheOutput {
  /** Its address on this machine. */
  substituter: string;
  /** The path that is in it; undefined where its store is not the usual one. */
  path?: string;
  /** Its address at the edge on this machine, where it is served there too. */
  edge?: string;
}

/** How many caches are given something to pull. */
const MOST = 10;
/** How long the sandbox's own tokens are valid, in seconds. */
const MINUTES = 10 * 60;
const MONTH = 30 * 86_400;

/** What the server asks of every token, beside its signature. */
export type Claims = Pick<TokenRequest, "issuer" | "audiences">;

/**
 * Pushes a small path into each cache, as a client would, so that there is something to pull, and writes the netrc by
 * which private ones can be pulled from.
 *
 * @param attic address of the server on this machine.
 * @param folder of the sandbox, which gets the netrc.
 * @returns what can be pulled, and the token in the netrc, which is secret.
 */
export async function welcome(
  attic: string,
  caches: readonly CacheOutput[],
  sign: { key: TokenKey; claims: Claims },
  folder: string,
): Promise<{ caches: Welcome[]; reader: string }> {
  const tokenFor = async (permissions: Permissions, seconds: number) => {
    const expiresAt = Math.floor(Date.now() / 1000) + seconds;
    return await signToken(sign.key, { subject: "sandbox", permissions, expiresAt, ...sign.claims });
  };
  const filled = await Promise.all(
    caches.slice(0, MOST).map(async (cache) => {
      const substituter = `${attic}${cache.name}`;
      const token = await tokenFor({ [cache.name]: ["pull", "push"] }, MINUTES);
      const path = await fill(attic, cache, token);
      return { ...cache, substituter, ...(path !== undefined && { path }) };
    }),
  );
  const reader = await tokenFor({ "*": ["pull"] }, MONTH);
  await writeFileAtomically(join(folder, "netrc"), netrc(attic, reader));
  return { caches: filled, reader };
}

/** @returns the path that the cache holds now. */
async function fill(attic: string, cache: CacheOutput, token: string): Promise<string | undefined> {
  const { name, publicKey } = cache;
  const call = async (
    method: string,
    path: string,
    headers: Record<string, string>,
    body?: string | Buffer,
  ) => {
    const response = await fetch(`${attic}${path}`, {
      method,
      headers: { authorization: `Bearer ${token}`, ...headers },
      ...(body !== undefined && { body: new Uint8Array(Buffer.from(body)) }),
    }).catch((error: unknown) => {
      const { cause, message } = error as Error;
      throw notTaken(name, cause instanceof Error ? cause.message : message);
    });
    const text = await response.text();
    if (!response.ok) throw notTaken(name, `${response.status} ${text.slice(0, 200)}`);
    return text;
  };

  const storeDir = /^StoreDir: (.+)$/m.exec(await call("GET", `${name}/nix-cache-info`, {}))?.[1];
  if (storeDir !== "/nix/store") return undefined;
  const made = textPath(storeDir, "welcome", `A path in the cache ${name}, signed by ${publicKey}\n`);
  const json = { "content-type": "application/json" };
  const asked = JSON.stringify({ cache: name, store_path_hashes: [made.hash] });
  const { missing_paths: missing } = JSON.parse(
    await call("POST", "_api/v1/get-missing-paths", json, asked),
  ) as { missing_paths: string[] };
  if (missing.length > 0) {
    const info = { "x-attic-nar-info": JSON.stringify(describe(name, made)) };
    await call("PUT", "_api/v1/upload-path", info, made.nar);
  }
  return made.path;
}

/** What a client says of a path when it pushes it. */
function describe(cache: string, { path, hash, nar, narHash }: StorePath): Record<string, unknown> {
  return {
    cache,
    store_path_hash: hash,
    store_path: path,
    references: [],
    system: null,
    deriver: null,
    sigs: [],
    ca: null,
    nar_hash: narHash,
    nar_size: nar.length,
  };
}

function notTaken(cache: string, reason: string): UserError {
  return new UserError(`The cache ${cache} was made, but took no path: ${reason}`);
}
