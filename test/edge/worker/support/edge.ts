import { createPublicKey } from "node:crypto";
import { CLAIM } from "../../../../components/attic/permissions.ts";
import type { EdgeCache, EdgeConfig, Status } from "../../../../components/edge/layout.ts";
import { forge } from "../../../contract/support/jwt.ts";
import { makeKey } from "../../../support/attic-server.ts";

export const KEY = makeKey("RS256");

export const PUBLIC_KEY = createPublicKey(Buffer.from(KEY.secret, "base64").toString())
  .export({ type: "spki", format: "pem" })
  .toString();

/** Stands in everything that is private. */
export const SECRET = "PRIVATE-BYTES";

export const HASH = "0".repeat(32);
export const NO_HASH = "z".repeat(32);
export const NAR_HASH = "1".repeat(52);
export const FILE = `${NAR_HASH}-abcdefghijkl.nar.zst`;
export const NO_FILE = `${"2".repeat(52)}-abcdefghijkl.nar.zst`;
export const NAR = "0123456789";

export function edgeCache(name: string, isPublic: boolean): EdgeCache {
  return { name, isPublic, publicKey: `${name}-1:${"A".repeat(43)}=`, storeDir: "/nix/store", priority: 41 };
}

export const CONFIG: EdgeConfig = {
  url: "https://cache.example.com",
  caches: [
    edgeCache("main", true),
    edgeCache("team", false),
    edgeCache("team-2", false),
    edgeCache("nar", true),
  ],
  default: "main",
  token: { algorithm: "RS256", publicKey: PUBLIC_KEY },
};

export function narinfoText(hash = HASH): string {
  return `StorePath: /nix/store/${hash}-hello\nURL: nar/${FILE}\nNarHash: sha256:${NAR_HASH}\nNarSize: 10\n`;
}

/** The same path in every cache, and what is private with a mark in it. */
export const OBJECTS: Readonly<Record<string, string>> = {
  ...Object.fromEntries(
    CONFIG.caches.flatMap(({ name, isPublic }) => [
      [`${name}/${HASH}.narinfo`, narinfoText() + (isPublic ? "" : `X: ${SECRET}\n`)],
      [`${name}/nar/${FILE}`, isPublic ? NAR : SECRET],
    ]),
  ),
  "_edge/index/0": SECRET,
};

export function statusOf(more: Partial<Status> = {}): Status {
  const of = (paths: number) => ({
    ...{ paths, nars: paths, bytes: paths * 1_500_000 },
    ...{ added: 1, removed: 0, failed: 0, lagSeconds: 0 },
  });
  return {
    version: 1,
    startedAt: "2026-11-01T10:00:00.000Z",
    finishedAt: "2026-11-01T10:00:09.000Z",
    ok: true,
    caches: { main: of(12), team: of(3434343), "team-2": of(5656565), gone: of(7878787) },
    ...more,
  };
}

export function now(): number {
  return Math.floor(Date.now() / 1000);
}

export function claims(
  caches: unknown,
  more: Readonly<Record<string, unknown>> = {},
): Record<string, unknown> {
  return { sub: "test", exp: now() + 3600, [CLAIM]: { caches }, ...more };
}

export function tokenFor(caches: unknown, more: Readonly<Record<string, unknown>> = {}): string {
  return forge(KEY, claims(caches, more));
}

export function bearer(token: string): { authorization: string } {
  return { authorization: `Bearer ${token}` };
}

/** As Nix sends what stands in netrc. */
export function basic(token: string, user = ""): { authorization: string } {
  return { authorization: `Basic ${Buffer.from(`${user}:${token}`).toString("base64")}` };
}
