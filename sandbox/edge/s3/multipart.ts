import { bodyOf, checked, textOf } from "./body.ts";
import { S3Error } from "./errors.ts";
import { metadataOf, xml } from "./objects.ts";
import type { Bucket } from "./r2.ts";
import { element, elements, unescape } from "./xml.ts";

/** R2's own limits: how many parts an upload may have, and the bytes of the list of them. */
const MOST_PARTS = 10_000;
const LIST_LIMIT = 4 * 1024 * 1024;

/** CreateMultipartUpload. */
export async function createUpload(
  bucket: Bucket,
  key: string,
  request: Request,
  name: string,
): Promise<Response> {
  const upload = await bucket.createMultipartUpload(key, metadataOf(request));
  return xml(element("InitiateMultipartUploadResult", { Bucket: name, Key: key, UploadId: upload.uploadId }));
}

/** UploadPart. */
export async function uploadPart(
  bucket: Bucket,
  key: string,
  query: ReadonlyMap<string, string>,
  request: Request,
  payload: string,
): Promise<Response> {
  if (request.headers.has("x-amz-copy-source")) throw new S3Error("NotImplemented");
  const part = Number(query.get("partNumber"));
  if (!Number.isInteger(part) || part < 1 || part > MOST_PARTS)
    throw new S3Error(
      "InvalidArgument",
      `Part number must be an integer between 1 and ${MOST_PARTS}, inclusive`,
    );
  const upload = bucket.resumeMultipartUpload(key, query.get("uploadId") ?? "");
  const { etag } = await upload.uploadPart(part, checked(bodyOf(request, payload)));
  return new Response(null, { headers: { etag: `"${etag}"` } });
}

/** CompleteMultipartUpload: the binding checks that all parts but the last have the same size, of 5 MiB or more. */
export async function completeUpload(
  bucket: Bucket,
  key: string,
  uploadId: string,
  request: Request,
  payload: string,
  name: string,
): Promise<Response> {
  const text = await textOf(request, payload, LIST_LIMIT);
  const parts = elements(text, "Part").map((part) => ({
    partNumber: Number(elements(part, "PartNumber")[0]),
    etag: unescape(elements(part, "ETag")[0] ?? "").replaceAll('"', ""),
  }));
  if (parts.length === 0 || parts.some(({ partNumber }) => !Number.isInteger(partNumber)))
    throw new S3Error("MalformedXML");
  const made = await bucket.resumeMultipartUpload(key, uploadId).complete(parts);
  const result = { Location: new URL(request.url).origin + `/${name}/${key}`, Bucket: name, Key: key };
  return xml(element("CompleteMultipartUploadResult", { ...result, ETag: made.httpEtag }));
}

/** AbortMultipartUpload. */
export async function abortUpload(bucket: Bucket, key: string, uploadId: string): Promise<Response> {
  await bucket.resumeMultipartUpload(key, uploadId).abort();
  return new Response(null, { status: 204 });
}
