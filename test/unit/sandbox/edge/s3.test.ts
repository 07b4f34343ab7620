import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { Readable } from "node:stream";
import * as S3 from "@aws-sdk/client-s3";
import { getSignedUrl } from "@aws-sdk/s3-request-presigner";
import { ACCOUNT, bucketResource, EdgeWorld } from "./edge-world.ts";

const MIB = 1024 * 1024;

/** What S3 answers to what it refuses. */
async function refusal(work: Promise<unknown>): Promise<string> {
  try {
    await work;
  } catch (error) {
    const { name, $metadata, Code } = error as S3.S3ServiceException & { Code?: string };
    return `${$metadata.httpStatusCode} ${Code ?? name}`;
  }
  return "accepted";
}

describe("the S3 API of the sandbox's R2", function () {
  this.timeout(120_000);
  const Bucket = "nix";
  let world: EdgeWorld;
  let s3: S3.S3Client;

  before(async () => {
    world = await EdgeWorld.open();
    s3 = await world.s3Of(Bucket);
  });
  after(async () => {
    await world.close();
  });

  const put = async (Key: string, Body: string | Readable, more = {}) =>
    await s3.send(new S3.PutObjectCommand({ Bucket, Key, Body, ...more }));
  const get = async (Key: string, more = {}) => {
    const found = await s3.send(new S3.GetObjectCommand({ Bucket, Key, ...more }));
    return { ...found, text: (await found.Body?.transformToString()) ?? "" };
  };

  it("keeps bytes, metadata and a key of any sort, and has MD5 as ETag", async () => {
    const Key = "a b/c+d~é'(x)&<y>=?#.narinfo";
    const kept = { ContentType: "text/x-nix-narinfo", CacheControl: "max-age=60", Metadata: { k: "v" } };
    const { ETag } = await put(Key, "hello", kept);
    assert.equal(ETag, `"${createHash("md5").update("hello").digest("hex")}"`);
    const found = await get(Key);
    assert.deepEqual(
      [found.text, found.ContentType, found.CacheControl, found.Metadata, found.ETag, found.ContentEncoding],
      ["hello", kept.ContentType, kept.CacheControl, kept.Metadata, ETag, undefined],
    );
    const head = await s3.send(new S3.HeadObjectCommand({ Bucket, Key }));
    assert.deepEqual([head.ContentLength, head.Metadata], [5, { k: "v" }]);
    const { Contents } = await s3.send(new S3.ListObjectsV2Command({ Bucket, Prefix: "a b/" }));
    assert.deepEqual(
      Contents?.map((object) => [object.Key, object.Size, object.ETag]),
      [[Key, 5, ETag]],
    );
  });

  it("takes a stream in chunks, and nothing at all", async () => {
    const parts = [Buffer.alloc(100_000, "a"), Buffer.alloc(70_001, "b")];
    await put("stream", Readable.from(parts), { ContentLength: 170_001 });
    assert.equal((await get("stream")).text, Buffer.concat(parts).toString());
    await put("empty", "");
    assert.equal((await get("empty")).text, "");
  });

  it("gives ranges, and says where they stand", async () => {
    await put("range", "0123456789");
    const range = async (Range: string) => {
      const { text, ContentRange } = await get("range", { Range });
      return [text, ContentRange];
    };
    assert.deepEqual(await range("bytes=2-4"), ["234", "bytes 2-4/10"]);
    assert.deepEqual(await range("bytes=7-"), ["789", "bytes 7-9/10"]);
    assert.deepEqual(await range("bytes=-2"), ["89", "bytes 8-9/10"]);
    assert.deepEqual(await range("bytes=8-100"), ["89", "bytes 8-9/10"]);
    assert.equal(await refusal(get("range", { Range: "bytes=10-" })), "416 InvalidRange");
  });

  it("holds conditions of reading and of writing", async () => {
    const { ETag = "" } = await put("condition", "one");
    assert.equal((await get("condition", { IfMatch: ETag })).text, "one");
    assert.equal(await refusal(get("condition", { IfMatch: '"other"' })), "412 PreconditionFailed");
    assert.match(await refusal(get("condition", { IfNoneMatch: ETag })), /^304 /);
    assert.equal(await refusal(put("condition", "two", { IfNoneMatch: "*" })), "412 PreconditionFailed");
    assert.equal(await refusal(put("condition", "two", { IfMatch: '"other"' })), "412 PreconditionFailed");
    assert.equal(await refusal(put("condition", "two", { IfMatch: ETag })), "accepted");
    assert.equal((await get("condition")).text, "two");
    assert.equal(await refusal(put("condition-new", "one", { IfNoneMatch: "*" })), "accepted");
  });

  it("lists in pages, after a key, and by folders", async () => {
    for (const name of ["1", "2/a", "2/b", "3", "4"]) await put(`list/${name}`, name);
    const list = async (more: Partial<S3.ListObjectsV2CommandInput>) =>
      await s3.send(new S3.ListObjectsV2Command({ Bucket, Prefix: "list/", ...more }));
    const keys = ({ Contents = [] }: S3.ListObjectsV2CommandOutput) =>
      Contents.map(({ Key }) => Key?.slice(5));
    const first = await list({ MaxKeys: 2 });
    assert.deepEqual([keys(first), first.IsTruncated, first.KeyCount], [["1", "2/a"], true, 2]);
    const second = await list({ MaxKeys: 3, ContinuationToken: first.NextContinuationToken! });
    assert.deepEqual([keys(second), second.IsTruncated], [["2/b", "3", "4"], false]);
    assert.deepEqual(keys(await list({ StartAfter: "list/2/b" })), ["3", "4"]);
    const folders = await list({ Delimiter: "/" });
    assert.deepEqual(keys(folders), ["1", "3", "4"]);
    assert.deepEqual(folders.CommonPrefixes, [{ Prefix: "list/2/" }]);
    assert.deepEqual(keys(await list({ MaxKeys: 0 })), []);
  });

  it("deletes one and many, also where there is none", async () => {
    for (const name of ["a", "b&<c>", "d"]) await put(`delete/${name}`, name);
    await s3.send(new S3.DeleteObjectCommand({ Bucket, Key: "delete/a" }));
    await s3.send(new S3.DeleteObjectCommand({ Bucket, Key: "delete/none" }));
    const Objects = ["delete/b&<c>", "delete/none"].map((Key) => ({ Key }));
    const { Deleted } = await s3.send(new S3.DeleteObjectsCommand({ Bucket, Delete: { Objects } }));
    assert.deepEqual(Deleted, Objects);
    const { Contents } = await s3.send(new S3.ListObjectsV2Command({ Bucket, Prefix: "delete/" }));
    assert.deepEqual(
      Contents?.map(({ Key }) => Key),
      ["delete/d"],
    );
    assert.equal(await refusal(get("delete/a")), "404 NoSuchKey");
    assert.match(await refusal(s3.send(new S3.HeadObjectCommand({ Bucket, Key: "delete/a" }))), /^404 /);
  });

  it("copies within the bucket", async () => {
    await put("copy/from", "text", { Metadata: { k: "v" } });
    await s3.send(new S3.CopyObjectCommand({ Bucket, Key: "copy/to", CopySource: `${Bucket}/copy/from` }));
    const { text, Metadata } = await get("copy/to");
    assert.deepEqual([text, Metadata], ["text", { k: "v" }]);
  });

  describe("in parts", () => {
    const upload = async (Key: string, sizes: number[]) => {
      const { UploadId = "" } = await s3.send(
        new S3.CreateMultipartUploadCommand({ Bucket, Key, ContentType: "x/y" }),
      );
      const Parts: S3.CompletedPart[] = [];
      for (const [index, size] of sizes.entries()) {
        const part = { Bucket, Key, UploadId, PartNumber: index + 1, Body: Buffer.alloc(size, index + 1) };
        const { ETag } = await s3.send(new S3.UploadPartCommand(part));
        Parts.push({ PartNumber: index + 1, ...(ETag !== undefined && { ETag }) });
      }
      return { UploadId, Parts };
    };
    const complete = async (Key: string, { UploadId, Parts }: Awaited<ReturnType<typeof upload>>) =>
      await s3.send(
        new S3.CompleteMultipartUploadCommand({ Bucket, Key, UploadId, MultipartUpload: { Parts } }),
      );

    it("puts them together, the last of any size", async () => {
      const { ETag } = await complete("parts", await upload("parts", [5 * MIB, 5 * MIB, 7]));
      assert.match(ETag ?? "", /^"[0-9a-f]{32}-3"$/);
      const found = await s3.send(
        new S3.GetObjectCommand({ Bucket, Key: "parts", Range: `bytes=${10 * MIB - 1}-` }),
      );
      const bytes = await found.Body!.transformToByteArray();
      assert.deepEqual([[...bytes], found.ContentType], [[2, 3, 3, 3, 3, 3, 3, 3], "x/y"]);
    });

    it("refuses parts that are too small, or not all of one size", async () => {
      assert.equal(await refusal(complete("small", await upload("small", [MIB, 7]))), "400 EntityTooSmall");
      const unequal = await upload("unequal", [5 * MIB, 6 * MIB, 7]);
      assert.equal(await refusal(complete("unequal", unequal)), "400 InvalidPart");
      assert.equal(await refusal(get("small")), "404 NoSuchKey");
    });

    it("refuses a part that was not sent, and an upload that was given up", async () => {
      const begun = await upload("aborted", [5 * MIB]);
      const wrong = { ...begun, Parts: [{ PartNumber: 1, ETag: '"0"' }] };
      assert.equal(await refusal(complete("aborted", wrong)), "400 InvalidPart");
      await s3.send(new S3.AbortMultipartUploadCommand({ Bucket, Key: "aborted", UploadId: begun.UploadId }));
      assert.equal(await refusal(complete("aborted", begun)), "404 NoSuchUpload");
      assert.equal(await refusal(get("aborted")), "404 NoSuchKey");
    });
  });

  describe("of keys", () => {
    const read = async (client: S3.S3Client, name = Bucket) =>
      await refusal(client.send(new S3.GetObjectCommand({ Bucket: name, Key: "mine" })));
    const write = async (client: S3.S3Client, name = Bucket) =>
      await refusal(client.send(new S3.PutObjectCommand({ Bucket: name, Key: "mine", Body: "x" })));

    it("opens only the bucket that the token names, and only for what it grants", async () => {
      await put("mine", "x");
      const other = await world.s3Of("other");
      assert.deepEqual([await write(other), await read(other)], ["403 AccessDenied", "403 AccessDenied"]);
      assert.deepEqual([await write(other, "other"), await read(other, "other")], ["accepted", "accepted"]);
      const reader = world.s3(
        (await world.token({ [bucketResource(Bucket)]: ["Workers R2 Storage Bucket Item Read"] })).result,
      );
      assert.deepEqual([await write(reader), await read(reader)], ["403 AccessDenied", "accepted"]);
      assert.equal(await refusal(reader.send(new S3.ListBucketsCommand({}))), "403 AccessDenied");
      assert.equal(
        await refusal(reader.send(new S3.CreateBucketCommand({ Bucket: "new" }))),
        "403 AccessDenied",
      );
    });

    it("of the whole account open all of its buckets, and list them", async () => {
      const account = `com.cloudflare.api.account.${ACCOUNT}`;
      const admin = world.s3((await world.token({ [account]: ["Workers R2 Storage Write"] })).result);
      assert.equal(await write(admin), "accepted");
      assert.equal(await read(admin, "nothing"), "404 NoSuchBucket");
      const { Buckets = [] } = await admin.send(new S3.ListBucketsCommand({}));
      assert.equal(
        Buckets.some(({ Name }) => Name === Bucket),
        true,
      );
    });

    it("are refused where the secret, the id, the region or the time is wrong", async () => {
      const { result } = await world.token({
        [bucketResource(Bucket)]: ["Workers R2 Storage Bucket Item Write"],
      });
      assert.equal(await write(world.s3(result)), "accepted");
      assert.equal(await write(world.s3({ ...result, value: "wrong" })), "403 SignatureDoesNotMatch");
      assert.equal(await write(world.s3({ ...result, id: "f".repeat(32) })), "401 Unauthorized");
      assert.equal(await write(world.s3({ ...result, id: "short" })), "400 InvalidArgument");
      const { config } = world.s3(result);
      const other = {
        endpoint: world.s3Url,
        forcePathStyle: true,
        credentials: config.credentials,
        maxAttempts: 1,
      };
      assert.equal(
        await write(new S3.S3Client({ ...other, region: "eu-central-1" })),
        "400 InvalidRegionName",
      );
      const late = new S3.S3Client({ ...other, region: "auto", systemClockOffset: -3_600_000 });
      assert.equal(await write(late), "403 RequestTimeTooSkewed");
      assert.equal((await fetch(`${world.s3Url}/${Bucket}/mine`)).status, 400);
    });

    it("of a token that is deleted open nothing any more", async () => {
      const { result } = await world.token({
        [bucketResource(Bucket)]: ["Workers R2 Storage Bucket Item Write"],
      });
      await world.call("DELETE", `accounts/:account/tokens/${result.id}`);
      assert.equal(await write(world.s3(result)), "401 Unauthorized");
    });

    it("sign addresses, too, for a while", async () => {
      const url = await getSignedUrl(s3, new S3.GetObjectCommand({ Bucket, Key: "mine" }), { expiresIn: 60 });
      assert.equal(await (await fetch(url)).text(), "x");
      assert.equal((await fetch(url.replace("mine", "range"))).status, 403);
      const old = await getSignedUrl(s3, new S3.GetObjectCommand({ Bucket, Key: "mine" }), {
        expiresIn: 60,
        signingDate: new Date(Date.now() - 120_000),
      });
      assert.equal((await fetch(old)).status, 403);
    });
  });

  it("does not keep a body that is not what was signed", async () => {
    const signed = await getSignedUrl(s3, new S3.PutObjectCommand({ Bucket, Key: "hash" }), {
      expiresIn: 60,
    });
    assert.equal((await fetch(signed, { method: "PUT", body: "x" })).status, 200);
    const wrong = createHash("sha256").update("other").digest("hex");
    s3.middlewareStack.add(
      (next) => async (args) => {
        (args.request as { headers: Record<string, string> }).headers["x-amz-content-sha256"] = wrong;
        return await next(args);
      },
      { step: "build", name: "wrongHash", priority: "low" },
    );
    try {
      assert.equal(await refusal(put("hash", "y")), "400 XAmzContentSHA256Mismatch");
      const { UploadId = "" } = await world
        .s3(
          (await world.token({ [bucketResource(Bucket)]: ["Workers R2 Storage Bucket Item Write"] })).result,
        )
        .send(new S3.CreateMultipartUploadCommand({ Bucket, Key: "hash" }));
      const part = { Bucket, Key: "hash", UploadId, PartNumber: 1, Body: "y" };
      assert.equal(await refusal(s3.send(new S3.UploadPartCommand(part))), "400 XAmzContentSHA256Mismatch");
    } finally {
      s3.middlewareStack.remove("wrongHash");
    }
    assert.equal((await get("hash")).text, "x");
  });
});
