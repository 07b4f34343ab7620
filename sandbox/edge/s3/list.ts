import { S3Error } from "./errors.ts";
import { xml } from "./objects.ts";
import type { Bucket } from "./r2.ts";
import { encode } from "./signature.ts";
import { element } from "./xml.ts";

const NAMESPACE = ' xmlns="http://s3.amazonaws.com/doc/2006-03-01/"';

/** ListObjectsV2. */
export async function listObjects(
  bucket: Bucket,
  query: ReadonlyMap<string, string>,
  name: string,
): Promise<Response> {
  const most = Number(query.get("max-keys") ?? 1000);
  if (!Number.isInteger(most) || most < 0) throw new S3Error("InvalidArgument", "max-keys");
  const given = (parameter: string) => (query.get(parameter) === "" ? undefined : query.get(parameter));
  const token = given("continuation-token");
  const after = given("start-after");
  const prefix = given("prefix");
  const delimiter = given("delimiter");
  const listing =
    most === 0
      ? { objects: [], delimitedPrefixes: [], truncated: false }
      : await bucket.list({
          limit: Math.min(most, 1000),
          ...(prefix !== undefined && { prefix }),
          ...(delimiter !== undefined && { delimiter }),
          ...(token !== undefined ? { cursor: token } : after !== undefined && { startAfter: after }),
        });
  const url = query.get("encoding-type") === "url";
  const text = (value: string) => (url ? value.split("/").map(encode).join("/") : value);
  const optional = (value: string | undefined) => (value === undefined ? undefined : text(value));
  const cursor = "cursor" in listing ? listing.cursor : undefined;
  return xml(
    element(
      "ListBucketResult",
      {
        Name: name,
        Prefix: text(prefix ?? ""),
        Delimiter: optional(delimiter),
        StartAfter: optional(after),
        EncodingType: url ? "url" : undefined,
        MaxKeys: Math.min(most, 1000),
        KeyCount: listing.objects.length + listing.delimitedPrefixes.length,
        IsTruncated: listing.truncated,
        ContinuationToken: token,
        NextContinuationToken: listing.truncated ? cursor : undefined,
        Contents: listing.objects.map((object) => ({
          Key: text(object.key),
          Size: object.size,
          LastModified: object.uploaded.toISOString(),
          ETag: object.httpEtag,
          StorageClass: object.storageClass === "InfrequentAccess" ? "STANDARD_IA" : "STANDARD",
        })),
        CommonPrefixes: listing.delimitedPrefixes.map((common) => ({ Prefix: text(common) })),
      },
      NAMESPACE,
    ),
  );
}
