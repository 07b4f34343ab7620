import type { Policy, TokenState } from "../state.ts";
import { isRecord, type Json } from "./envelope.ts";

const ACCOUNT = "com.cloudflare.api.account";
const ZONE = "com.cloudflare.api.account.zone";
const BUCKET = "com.cloudflare.edge.r2.bucket";

export interface PermissionGroup {
  id: string;
  name: string;
  scopes: string[];
}

/** Cloudflare's permission groups, as far as this stack may ask for one, by their real names and ids. */
export const PERMISSION_GROUPS: readonly PermissionGroup[] = (
  [
    ["5bc3f8b21c554832afc660159ab75fa4", "Account API Tokens Write", ACCOUNT],
    ["eb56a6953c034b9d97dd838155666f06", "Account API Tokens Read", ACCOUNT],
    ["b89a480218d04ceb98b4fe57ca29dc1f", "Account Analytics Read", ACCOUNT],
    ["c1fde68c7bcc44588cbb6ddbc16d6480", "Account Settings Read", ACCOUNT],
    ["e086da7e2179491d91ee5f35b3ca210a", "Workers Scripts Write", ACCOUNT],
    ["1a71c399035b4950a1bd1466bbe4f420", "Workers Scripts Read", ACCOUNT],
    ["bf7481a1826f439697cb59a20b22293e", "Workers R2 Storage Write", ACCOUNT],
    ["b4992e1108244f5d8bfbd5744320c2e1", "Workers R2 Storage Read", ACCOUNT],
    ["28f4b596e7d643029c524985477ae49a", "Workers Routes Write", ZONE],
    ["2072033d694d415a936eaeb94e6405b8", "Workers Routes Read", ZONE],
    ["2efd5506f9c8494dacb1fa10a3e7d5b6", "Workers R2 Storage Bucket Item Write", BUCKET],
    ["6a018a9f2fc74eb6b293b0c548f38b39", "Workers R2 Storage Bucket Item Read", BUCKET],
  ] as const
).map(([id, name, scope]) => ({ id, name, scopes: [scope] }));

/** The resources of an account, a zone and a bucket, as policies name them. */
export const resource = {
  account: (account: string) => `${ACCOUNT}.${account}`,
  zone: (zone: string) => `${ZONE}.${zone}`,
  bucket: (account: string, jurisdiction: string, name: string) =>
    `${BUCKET}.${account}_${jurisdiction}_${name}`,
};

/**
 * Whether a token's policies grant one of the permissions on a resource. A policy that denies wins.
 *
 * @param names of permission groups.
 */
export function grants(token: TokenState, names: readonly string[], of: string): boolean {
  const ids = PERMISSION_GROUPS.filter(({ name }) => names.includes(name)).map(({ id }) => id);
  const about = token.policies.filter(
    (policy) => policy.permission_groups.some(({ id }) => ids.includes(id)) && covers(policy.resources, of),
  );
  return about.some(({ effect }) => effect === "allow") && !about.some(({ effect }) => effect === "deny");
}

function covers(resources: Record<string, Json>, of: string): boolean {
  return Object.entries(resources).some(([name, value]) => {
    if (isRecord(value)) return covers(value, of);
    return value === "*" && (name === of || (name.endsWith(".*") && of.startsWith(name.slice(0, -1))));
  });
}

/** Why a policy is refused; undefined where it is in order. */
export function wrongPolicy(account: string, policy: Policy): string | undefined {
  if (policy.effect !== "allow" && policy.effect !== "deny") return "effect must be allow or deny";
  if (policy.permission_groups.length === 0) return "a policy needs at least one permission group";
  const resources = Object.entries(policy.resources);
  if (resources.length === 0) return "a policy needs at least one resource";
  for (const { id } of policy.permission_groups) {
    const group = PERMISSION_GROUPS.find((known) => known.id === id);
    if (!group) return `permission group ${id} is not known`;
    const scope = group.scopes[0] ?? "";
    const fits = resources.some(([name, value]) => scopesOf(name, value).includes(scope));
    if (!fits) return `permission group ${group.name} needs a resource of the scope ${scope}`;
  }
  const strange = resources.map(([name]) => name).find((name) => !belongs(name, account));
  return strange === undefined ? undefined : `resource ${strange} is not one of this account`;
}

function scopesOf(name: string, value: Json): string[] {
  const inner = isRecord(value)
    ? Object.entries(value).flatMap(([key, deeper]) => scopesOf(key, deeper))
    : [];
  const own = [ZONE, BUCKET, ACCOUNT].find((scope) => name.startsWith(`${scope}.`));
  return own === undefined ? inner : [own, ...inner];
}

function belongs(name: string, account: string): boolean {
  if (name.startsWith(`${BUCKET}.`)) return name.startsWith(`${BUCKET}.${account}_`);
  if (name.startsWith(`${ZONE}.`)) return true;
  return name === resource.account(account);
}
