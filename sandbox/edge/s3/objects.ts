import { bodyOf, textOf } from "./body.ts";
import { toS3Error, S3Error } from "./errors.ts";
import type { Bucket, Found, HttpMetadata, PutOptions } from "./r2.ts";
import { element, elements, unescape, XML } from "./xml.ts";

const META = "x-amz-meta-";
const CONDITIONS = ["if-match", "if-none-match", "if-modified-since", "if-unmodified-since"];
/** Bytes of a list of a thousand keys, written as carefully as XML allows. */
const LIST_LIMIT = 8 * 1024 * 1024;

/** GetObject and HeadObject. */
export async function getObject(bucket: Bucket, key: string, request: Request): Promise<Response> {
  const onlyIf = conditions(request);
  const range = request.method === "GET" ? rangeOf(request) : undefined;
  const found =
    request.method === "HEAD" && onlyIf === undefined
      ? await bucket.head(key)
      : await bucket.get(key, { ...(onlyIf && { onlyIf }), ...(range && { range }) });
  if (!found) throw new S3Error("NoSuchKey");
  const headers = headersOf(found);
  if (onlyIf !== undefined && found.body === undefined) {
    const unchanged = onlyIf.has("if-none-match") || onlyIf.has("if-modified-since");
    if (!unchanged || onlyIf.has("if-match")) throw new S3Error("PreconditionFailed");
    return new Response(null, { status: 304, headers });
  }
  if (request.method === "HEAD") {
    await found.body?.cancel();
    headers.set("content-length", String(found.size));
    return new Response(null, { headers });
  }
  const body = found.body ?? null;
  if (range === undefined) return new Response(body, { headers });
  const { offset, length } = within(found);
  headers.set("content-range", `bytes ${offset}-${offset + length - 1}/${found.size}`);
  return new Response(body, { status: 206, headers });
}

/** PutObject, also where it copies another object of the same bucket. */
export async function putObject(
  bucket: Bucket,
  key: string,
  request: Request,
  payload: string,
  name: string,
): Promise<Response> {
  if (request.headers.has("x-amz-copy-source")) return await copyObject(bucket, key, request, name);
  const { stream, sha256 } = bodyOf(request, payload);
  const onlyIf = conditions(request);
  const stated = request.headers.get("x-amz-checksum-sha256");
  const options: PutOptions = {
    ...metadataOf(request),
    ...(onlyIf && { onlyIf }),
    // Of several hashes the binding takes one.
    ...(sha256 !== undefined
      ? { sha256: fromHex(sha256) }
      : stated !== null
        ? { sha256: fromBase64(stated) }
        : request.headers.has("content-md5") && {
            md5: fromBase64(request.headers.get("content-md5") ?? ""),
          }),
  };
  const put = await bucket.put(key, stream, options).catch((error: unknown) => {
    const refused = toS3Error(error);
    throw refused.code === "BadDigest" && sha256 !== undefined
      ? new S3Error("XAmzContentSHA256Mismatch")
      : refused;
  });
  if (!put) throw new S3Error("PreconditionFailed");
  return new Response(null, { headers: { etag: put.httpEtag } });
}

async function copyObject(bucket: Bucket, key: string, request: Request, name: string): Promise<Response> {
  const source = decodeURIComponent(request.headers.get("x-amz-copy-source") ?? "").replace(/^\//, "");
  if (!source.startsWith(`${name}/`)) throw new S3Error("NotImplemented");
  const found = await bucket.get(source.slice(name.length + 1));
  if (!found?.body) throw new S3Error("NoSuchKey");
  const replace = request.headers.get("x-amz-metadata-directive") === "REPLACE";
  const { httpMetadata, customMetadata } = replace ? metadataOf(request) : found;
  const put = await bucket.put(key, found.body, {
    ...(httpMetadata && { httpMetadata }),
    ...(customMetadata && { customMetadata }),
  });
  if (!put) throw new S3Error("PreconditionFailed");
  const copied = { LastModified: put.uploaded.toISOString(), ETag: put.httpEtag };
  return xml(element("CopyObjectResult", copied));
}

/** DeleteObject: no error where there is none, as in S3. */
export async function deleteObject(bucket: Bucket, key: string): Promise<Response> {
  await bucket.delete([key]);
  return new Response(null, { status: 204 });
}

/** DeleteObjects, of a thousand keys at most. */
export async function deleteObjects(bucket: Bucket, request: Request, payload: string): Promise<Response> {
  const text = await textOf(request, payload, LIST_LIMIT);
  const keys = elements(text, "Object").map((object) => unescape(elements(object, "Key")[0] ?? ""));
  if (keys.length === 0 || keys.length > 1000 || keys.includes("")) throw new S3Error("MalformedXML");
  await bucket.delete(keys);
  const quiet = elements(text, "Quiet")[0] === "true";
  return xml(element("DeleteResult", { Deleted: quiet ? [] : keys.map((Key) => ({ Key })) }));
}

/** An answer of XML. */
export function xml(text: string): Response {
  return new Response(`${XML}${text}`, { headers: { "content-type": "application/xml" } });
}

/** What of a request's headers is kept beside the object. */
export function metadataOf(request: Request): {
  httpMetadata: HttpMetadata;
  customMetadata: Record<string, string>;
} {
  const header = (name: string) => request.headers.get(name) ?? undefined;
  const encoding = header("content-encoding")
    ?.split(",")
    .map((part) => part.trim())
    // How it was sent, not what it is.
    .filter((part) => part !== "aws-chunked" && part !== "")
    .join(", ");
  const expires = Date.parse(header("expires") ?? "");
  const known = {
    contentType: header("content-type"),
    contentLanguage: header("content-language"),
    contentDisposition: header("content-disposition"),
    contentEncoding: encoding === "" ? undefined : encoding,
    cacheControl: header("cache-control"),
    cacheExpiry: Number.isNaN(expires) ? undefined : new Date(expires),
  };
  const custom = [...request.headers].filter(([name]) => name.startsWith(META));
  return {
    httpMetadata: Object.fromEntries(Object.entries(known).filter(([, value]) => value !== undefined)),
    customMetadata: Object.fromEntries(custom.map(([name, value]) => [name.slice(META.length), value])),
  };
}

function headersOf(found: Found): Headers {
  const { httpMetadata: kept = {} } = found;
  const headers = new Headers({
    etag: found.httpEtag,
    "last-modified": found.uploaded.toUTCString(),
    "accept-ranges": "bytes",
  });
  const set = (name: string, value: string | undefined) => {
    if (value !== undefined) headers.set(name, value);
  };
  set("content-type", kept.contentType ?? "application/octet-stream");
  set("content-language", kept.contentLanguage);
  set("content-disposition", kept.contentDisposition);
  set("content-encoding", kept.contentEncoding);
  set("cache-control", kept.cacheControl);
  set("expires", kept.cacheExpiry?.toUTCString());
  for (const [name, value] of Object.entries(found.customMetadata ?? {}))
    headers.set(`${META}${name}`, value);
  return headers;
}

function conditions(request: Request): Headers | undefined {
  const named = CONDITIONS.flatMap((name) => {
    const value = request.headers.get(name);
    return value === null ? [] : [[name, value] as [string, string]];
  });
  return named.length === 0 ? undefined : new Headers(named);
}

function rangeOf(request: Request): { offset: number; length?: number } | { suffix: number } | undefined {
  const [, from = "", to = ""] = /^bytes=(\d*)-(\d*)$/.exec(request.headers.get("range") ?? "") ?? [];
  if (from === "" && to === "") return undefined;
  if (from === "") return { suffix: Number(to) };
  if (to === "") return { offset: Number(from) };
  if (Number(to) < Number(from)) return undefined;
  return { offset: Number(from), length: Number(to) - Number(from) + 1 };
}

/** Where the bytes that came stand in the object. */
function within({ range, size }: Found): { offset: number; length: number } {
  const offset = range?.suffix === undefined ? (range?.offset ?? 0) : Math.max(0, size - range.suffix);
  return { offset, length: Math.min(range?.length ?? size - offset, size - offset) };
}

function fromHex(text: string): Uint8Array {
  return Uint8Array.from(text.match(/../g) ?? [], (byte) => Number.parseInt(byte, 16));
}

function fromBase64(text: string): Uint8Array {
  try {
    return Uint8Array.from(atob(text), (sign) => sign.charCodeAt(0));
  } catch {
    throw new S3Error("InvalidArgument", "A checksum is not base64.");
  }
}
