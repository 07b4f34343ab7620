import type { webcrypto } from "node:crypto";
import { S3Error } from "./errors.ts";

type CryptoKey = webcrypto.CryptoKey;

/** An account token as the S3 API sees it. */
export interface Credentials {
  account: string;
  /** Lower-case hex SHA-256 of the token's value. */
  secret: string;
  /** Names of the buckets of its account that it may read and write. */
  read: readonly string[];
  write: readonly string[];
  /** Whether it may ask which buckets there are. */
  listBuckets: boolean;
}

/** How far a signature's time may be from ours, and how long a presigned URL may hold, in milliseconds. */
const SKEW = 15 * 60_000;
const LONGEST = 7 * 24 * 3_600_000;
const REGIONS = ["auto", "us-east-1", "wnam", "enam", "weur", "eeur", "apac", "oc"];
const encoder = new TextEncoder();

interface Signed {
  id: string;
  scope: string[];
  time: string;
  headers: string[];
  signature: string;
  payload: string;
  query: [string, string][];
}

/**
 * Checks a request's Signature Version 4, in its header or its URL.
 *
 * @param find the token with an access key id.
 * @returns the token, and what was signed as the body's hash.
 */
export async function authenticate(
  request: Request,
  find: (id: string) => Promise<Credentials | undefined>,
  now: number,
): Promise<{ credentials: Credentials; payload: string }> {
  const url = new URL(request.url);
  const signed = fromHeader(request) ?? fromQuery(url, now);
  if (!signed) throw new S3Error("InvalidArgument", "Authorization");
  const [date = "", region = "", service, end] = signed.scope;
  const time = parseTime(signed.time);
  if (service !== "s3" || end !== "aws4_request" || !signed.time.startsWith(date) || Number.isNaN(time))
    throw new S3Error("InvalidArgument", "Credential");
  if (!REGIONS.includes(region)) throw new S3Error("InvalidRegionName");
  if (time - now > SKEW || (signed.query.length === 0 && now - time > SKEW))
    throw new S3Error("RequestTimeTooSkewed");
  if (!signed.headers.includes("host")) throw new S3Error("InvalidArgument", "SignedHeaders");
  if (signed.id.length !== 32)
    throw new S3Error(
      "InvalidArgument",
      `Credential access key has length ${signed.id.length}, should be 32`,
    );
  const credentials = await find(signed.id);
  if (!credentials) throw new S3Error("Unauthorized");
  const canonical = [
    request.method,
    url.pathname.split("/").map(decode).map(encode).join("/"),
    (signed.query.length > 0 ? signed.query : pairs(url))
      .map(([name, value]) => `${encode(name)}=${encode(value)}`)
      .sort((a, b) => (a < b ? -1 : 1))
      .join("&"),
    ...signed.headers.map(
      (name) => `${name}:${(request.headers.get(name) ?? "").trim().replace(/ +/g, " ")}`,
    ),
    "",
    signed.headers.join(";"),
    signed.payload,
  ].join("\n");
  const text = ["AWS4-HMAC-SHA256", signed.time, signed.scope.join("/"), await sha256(canonical)].join("\n");
  const expected = hex(await hmac(await signingKey(credentials.secret, signed.scope), text));
  if (!same(expected, signed.signature)) throw new S3Error("SignatureDoesNotMatch");
  return { credentials, payload: signed.payload };
}

function fromHeader(request: Request): Signed | undefined {
  const header = request.headers.get("authorization");
  if (header === null) return undefined;
  const field = (name: string) => new RegExp(`[ ,]${name}=([^,\\s]+)`).exec(header)?.[1] ?? "";
  const [id = "", ...scope] = field("Credential").split("/");
  const payload = request.headers.get("x-amz-content-sha256");
  const time = request.headers.get("x-amz-date");
  if (!header.startsWith("AWS4-HMAC-SHA256 ")) throw new S3Error("InvalidArgument", "Authorization");
  if (payload === null || time === null)
    throw new S3Error("InvalidArgument", payload === null ? "x-amz-content-sha256" : "x-amz-date");
  const headers = field("SignedHeaders").split(";");
  return { id, scope, time, headers, signature: field("Signature"), payload, query: [] };
}

function fromQuery(url: URL, now: number): Signed | undefined {
  const query = pairs(url);
  const field = (name: string) => query.find(([key]) => key.toLowerCase() === name)?.[1] ?? "";
  if (field("x-amz-algorithm") !== "AWS4-HMAC-SHA256") return undefined;
  const [id = "", ...scope] = field("x-amz-credential").split("/");
  const time = field("x-amz-date");
  const lasts = Number(field("x-amz-expires")) * 1000;
  if (!(lasts > 0 && lasts <= LONGEST)) throw new S3Error("InvalidArgument", "X-Amz-Expires");
  if (now > parseTime(time) + lasts) throw new S3Error("ExpiredRequest");
  return {
    id,
    scope,
    time,
    headers: field("x-amz-signedheaders").split(";"),
    signature: field("x-amz-signature"),
    payload: "UNSIGNED-PAYLOAD",
    query: query.filter(([name]) => name.toLowerCase() !== "x-amz-signature"),
  };
}

/** The parts of a URL's query; unlike `URLSearchParams` it leaves a plus sign a plus sign, as signers do. */
export function pairs(url: URL): [string, string][] {
  const parts = url.search.slice(1).split("&").filter(Boolean);
  return parts.map((part) => {
    const at = part.indexOf("=");
    return at < 0 ? [decode(part), ""] : [decode(part.slice(0, at)), decode(part.slice(at + 1))];
  });
}

/** Percent signs as they were meant. */
export function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw new S3Error("InvalidArgument", "The request's address is not valid.");
  }
}

/** As AWS' rules for signatures want it. */
export function encode(text: string): string {
  return encodeURIComponent(text).replace(
    /[!'()*]/g,
    (sign) => `%${sign.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}

function parseTime(text: string): number {
  const [, year, month, day, hour, minute, second] =
    /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(text) ?? [];
  return Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`);
}

const keys = new Map<string, CryptoKey>();

/** The key of a day, which four HMACs make: kept, for it is asked for with each request. */
async function signingKey(secret: string, scope: readonly string[]): Promise<CryptoKey> {
  const name = [secret, ...scope].join("/");
  if (keys.size > 1000) keys.clear();
  // Kept when it is there: workerd lets no request wait for what another one began.
  const key = keys.get(name) ?? (await derive(secret, scope));
  keys.set(name, key);
  return key;
}

async function derive(secret: string, scope: readonly string[]): Promise<CryptoKey> {
  let key = await importKey(encoder.encode(`AWS4${secret}`));
  for (const part of scope) key = await importKey(await hmac(key, part));
  return key;
}

async function importKey(bytes: ArrayBuffer | Uint8Array<ArrayBuffer>): Promise<CryptoKey> {
  return await crypto.subtle.importKey("raw", bytes, { name: "HMAC", hash: "SHA-256" }, false, ["sign"]);
}

async function hmac(key: CryptoKey, text: string): Promise<ArrayBuffer> {
  return await crypto.subtle.sign("HMAC", key, encoder.encode(text));
}

async function sha256(text: string): Promise<string> {
  return hex(await crypto.subtle.digest("SHA-256", encoder.encode(text)));
}

export function hex(bytes: ArrayBuffer): string {
  return [...new Uint8Array(bytes)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** Compares in a time that does not tell where the two differ. */
function same(a: string, b: string): boolean {
  let difference = a.length ^ b.length;
  for (let at = 0; at < a.length; at++) difference |= a.charCodeAt(at) ^ b.charCodeAt(at);
  return difference === 0;
}
