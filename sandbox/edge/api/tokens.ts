import { createHash, randomBytes } from "node:crypto";
import type { Policy, TokenState } from "../state.ts";
import { type Call, jsonOf, newId, param, textOf } from "./call.ts";
import { ApiError, isRecord, type Json, plain } from "./envelope.ts";
import { PERMISSION_GROUPS, wrongPolicy } from "./permission-groups.ts";

const STATUSES = ["active", "disabled", "expired"];

export function permissionGroups(call: Call): Json {
  const [name, scope] = [call.query.get("name"), call.query.get("scope")];
  // A provider encodes them twice, as Cloudflare's page asks for.
  const is = (wanted: string | null, found: string) =>
    wanted === null || wanted === found || decodeURIComponent(wanted) === found;
  return PERMISSION_GROUPS.filter(
    (group) => is(name, group.name) && group.scopes.some((one) => is(scope, one)),
  ).map(({ id, name: called, scopes }) => ({ id, name: called, scopes, category: "", is_selectable: true }));
}

export async function createToken(call: Call): Promise<Json> {
  const value = randomBytes(30).toString("base64url");
  const now = new Date().toISOString();
  const token: TokenState = {
    ...contents(call),
    account: param(call, "account"),
    id: newId(),
    issuedOn: now,
    modifiedOn: now,
    hash: hashOf(value),
  };
  await call.edge.change((state) => {
    state.tokens.push(token);
  });
  return { ...shown(token), value };
}

export function getToken(call: Call): Json {
  return shown(find(call));
}

export function listTokens(call: Call): Json {
  return call.edge.state.tokens.filter(({ account }) => account === param(call, "account")).map(shown);
}

export async function putToken(call: Call): Promise<Json> {
  const { id, account, issuedOn, hash } = find(call);
  const token = { ...contents(call), account, id, issuedOn, modifiedOn: new Date().toISOString(), hash };
  await call.edge.change((state) => {
    state.tokens = state.tokens.map((other) => (other.id === id ? token : other));
  });
  return shown(token);
}

export async function deleteToken(call: Call): Promise<Json> {
  const { id } = find(call);
  await call.edge.change((state) => {
    state.tokens = state.tokens.filter((token) => token.id !== id);
  });
  return { id };
}

/** What a token says of itself; only one that is valid gets here. */
export function verifyToken({ token }: Call): Json {
  return { id: token?.id ?? "sandbox", status: "active" };
}

/** Lower-case hex SHA-256: of a token's value also its secret key at R2. */
export function hashOf(value: string): string {
  return createHash("sha256").update(value).digest("hex");
}

/** A token's status at a time: past its end it is expired, whatever was said of it. */
export function statusOf({ status, expiresOn }: TokenState, now = Date.now()): string {
  return expiresOn !== undefined && Date.parse(expiresOn) <= now ? "expired" : status;
}

/** Whether a token is one that opens anything. */
export function isValid(token: TokenState, now = Date.now()): boolean {
  const begun = token.notBefore === undefined || Date.parse(token.notBefore) <= now;
  return begun && statusOf(token, now) === "active";
}

function contents(call: Call): Pick<TokenState, "name" | "status" | "policies"> {
  const body = jsonOf(call);
  const name = textOf(body, "name", 1001);
  if (name.length > 120) throw new ApiError(400, 1001, "name must have at most 120 characters.");
  const { status = "active", policies, expires_on: expiresOn, not_before: notBefore, condition } = body;
  if (!STATUSES.includes(plain(status)))
    throw new ApiError(400, 1001, `status must be one of ${STATUSES.join(", ")}.`);
  if (!Array.isArray(policies) || policies.length === 0)
    throw new ApiError(400, 1001, "A token needs at least one policy.");
  return {
    name,
    status: plain(status),
    policies: policies.map((policy) => readPolicy(param(call, "account"), policy)),
    ...(expiresOn !== undefined && expiresOn !== null && { expiresOn: time(expiresOn, "expires_on") }),
    ...(notBefore !== undefined && notBefore !== null && { notBefore: time(notBefore, "not_before") }),
    ...(condition !== undefined && condition !== null && { condition }),
  };
}

function readPolicy(account: string, given: Json): Policy {
  if (!isRecord(given) || !isRecord(given.resources ?? null) || !Array.isArray(given.permission_groups))
    throw new ApiError(400, 1001, "A policy needs effect, permission_groups and resources.");
  const policy = {
    id: newId(),
    effect: plain(given.effect),
    permission_groups: given.permission_groups.map((group) => ({ id: plain((group as { id?: Json }).id) })),
    resources: given.resources as Record<string, Json>,
  };
  const wrong = wrongPolicy(account, policy);
  if (wrong === undefined) return policy;
  throw new ApiError(400, 1001, `The token's policies are not valid: ${wrong}.`);
}

function time(value: Json, field: string): string {
  const text = plain(value);
  if (/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d/.test(text) && !Number.isNaN(Date.parse(text))) return text;
  throw new ApiError(400, 1001, `${field} must be a time as in RFC 3339.`);
}

function find(call: Call): TokenState {
  const [account, id] = [param(call, "account"), param(call, "token")];
  const found = call.edge.state.tokens.find((token) => token.account === account && token.id === id);
  if (found) return found;
  throw new ApiError(404, 1003, "Token not found");
}

function shown(token: TokenState): Record<string, Json> {
  return {
    id: token.id,
    name: token.name,
    status: statusOf(token),
    issued_on: token.issuedOn,
    modified_on: token.modifiedOn,
    ...(token.expiresOn !== undefined && { expires_on: token.expiresOn }),
    ...(token.notBefore !== undefined && { not_before: token.notBefore }),
    ...(token.condition !== undefined && { condition: token.condition }),
    policies: token.policies.map(({ id, effect, permission_groups, resources }) => ({
      id,
      effect,
      resources,
      permission_groups: permission_groups.map((group) => ({
        id: group.id,
        name: PERMISSION_GROUPS.find((known) => known.id === group.id)?.name ?? "",
      })),
    })),
  };
}
