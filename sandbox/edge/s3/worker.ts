// The S3 API over the buckets of the sandbox's R2: runs in workerd, beside the Workers that read the same buckets.
import { S3Error, toS3Error } from "./errors.ts";
import { listObjects } from "./list.ts";
import { abortUpload, completeUpload, createUpload, uploadPart } from "./multipart.ts";
import { deleteObject, deleteObjects, getObject, putObject, xml } from "./objects.ts";
import type { Bucket } from "./r2.ts";
import { authenticate, type Credentials, decode, pairs } from "./signature.ts";
import { element } from "./xml.ts";

/** How long a token is believed without asking the API again, in milliseconds. */
const BELIEVED = 1000;
/** Bytes of a key, by R2's limits. */
const LONGEST_KEY = 1024;

interface Environment {
  /** By "<account>/<bucket>" the name of its binding. */
  BUCKETS: Record<string, string>;
  /** Answers with the {@link Credentials} of an access key id. */
  TOKENS: { fetch(url: string): Promise<Response> };
  [binding: string]: unknown;
}

const known = new Map<string, { until: number; credentials: Credentials | undefined }>();

/** What the API of the sandbox asks of the buckets: whether there is anything in one. */
export default {
  async fetch(request: Request, env: Environment): Promise<Response> {
    const binding = new URL(request.url).pathname.slice(1);
    const { objects } = await (env[binding] as Bucket).list({ limit: 1 });
    return Response.json({ empty: objects.length === 0 });
  },
};

/** What answers at the port of the S3 API. */
export const S3 = {
  async fetch(request: Request, env: Environment): Promise<Response> {
    try {
      return await answer(request, env);
    } catch (error) {
      // What is left of the body is not read: the connection could not be used again.
      const response = toS3Error(error).toResponse();
      return request.method === "HEAD" ? new Response(null, response) : response;
    }
  },
};

async function answer(request: Request, env: Environment): Promise<Response> {
  const { credentials, payload } = await authenticate(request, (id) => find(id, env), Date.now());
  const url = new URL(request.url);
  const query = new Map(pairs(url));
  const [name = "", ...rest] = url.pathname.slice(1).split("/");
  const key = decode(rest.join("/"));
  const { method } = request;
  if (name === "") return listBuckets(credentials, env);
  const reads = method === "GET" || method === "HEAD";
  const binding = env.BUCKETS[`${credentials.account}/${name}`];
  if (!(reads ? credentials.read : credentials.write).includes(name)) {
    // Only who may see the buckets is told that one is not there.
    throw new S3Error(credentials.listBuckets && binding === undefined ? "NoSuchBucket" : "AccessDenied");
  }
  if (binding === undefined) throw new S3Error("NoSuchBucket");
  const bucket = env[binding] as Bucket;
  if (key === "") {
    if (method === "HEAD") return new Response(null);
    if (method === "GET" && query.get("list-type") === "2") return await listObjects(bucket, query, name);
    if (method === "GET" && query.has("location")) return xml(element("LocationConstraint", "auto"));
    if (method === "POST" && query.has("delete")) return await deleteObjects(bucket, request, payload);
    throw new S3Error("NotImplemented");
  }
  if (new TextEncoder().encode(key).length > LONGEST_KEY) throw new S3Error("KeyTooLongError");
  const uploadId = query.get("uploadId");
  if (uploadId !== undefined) {
    if (method === "PUT") return await uploadPart(bucket, key, query, request, payload);
    if (method === "POST") return await completeUpload(bucket, key, uploadId, request, payload, name);
    if (method === "DELETE") return await abortUpload(bucket, key, uploadId);
    throw new S3Error("NotImplemented");
  }
  if (method === "POST" && query.has("uploads")) return await createUpload(bucket, key, request, name);
  if (reads) return await getObject(bucket, key, request);
  if (method === "PUT") return await putObject(bucket, key, request, payload, name);
  if (method === "DELETE") return await deleteObject(bucket, key);
  throw new S3Error("NotImplemented");
}

function listBuckets(credentials: Credentials, env: Environment): Response {
  if (!credentials.listBuckets) throw new S3Error("AccessDenied");
  const names = Object.keys(env.BUCKETS)
    .filter((name) => name.startsWith(`${credentials.account}/`))
    .map((name) => ({ Name: name.slice(credentials.account.length + 1) }));
  return xml(element("ListAllMyBucketsResult", { Buckets: { Bucket: names } }));
}

async function find(id: string, env: Environment): Promise<Credentials | undefined> {
  const before = known.get(id);
  if (before && before.until > Date.now()) return before.credentials;
  const response = await env.TOKENS.fetch(`http://tokens/${encodeURIComponent(id)}`);
  const credentials = response.ok ? ((await response.json()) as Credentials) : undefined;
  if (known.size > 1000) known.clear();
  known.set(id, { until: Date.now() + BELIEVED, credentials });
  return credentials;
}
