import { readFileSync } from "node:fs";
import { Agent } from "node:https";
import type { Readable } from "node:stream";
import {
  AbortMultipartUploadCommand,
  type CompletedPart,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  PutObjectCommand,
  S3Client,
  UploadPartCommand,
} from "@aws-sdk/client-s3";
import { getSignedUrl } from "@aws-sdk/s3-request-presigner";
import type { StorageConfig } from "../config/schema.ts";
import type { RemoteFile, Store } from "./store.ts";

/** The size of a part, and of the largest file that is sent in one piece, in bytes. */
const PART = 8 * 2 ** 20;
/** How long a presigned address holds, in seconds. */
const PRESIGNED = 600;

type S3Config = Extract<StorageConfig, { type: "s3" }>;

/** A bucket. Credentials that are not configured come from AWS' usual places, such as its variables. */
export class S3Store implements Store {
  readonly #config: S3Config;
  readonly #client: S3Client;

  constructor(config: S3Config) {
    this.#config = config;
    const { region, endpoint, credentials } = config;
    const { SSL_CERT_FILE: trusted } = process.env;
    this.#client = new S3Client({
      region,
      ...(endpoint !== undefined && { endpoint, forcePathStyle: true }),
      ...(credentials !== undefined && {
        credentials: {
          accessKeyId: credentials.access_key_id,
          secretAccessKey: credentials.secret_access_key,
        },
      }),
      // The variable by which the real server is told of a store's own certificates.
      ...(trusted !== undefined && {
        requestHandler: { httpsAgent: new Agent({ keepAlive: true, ca: readFileSync(trusted) }) },
      }),
    });
  }

  reference(key: string): RemoteFile {
    const { region, bucket } = this.#config;
    return { S3: { region, bucket, key } };
  }

  referenceId(key: string): string {
    const { region, bucket } = this.#config;
    return `s3:${region}/${bucket}/${key}`;
  }

  async put(key: string, content: AsyncIterable<Buffer>): Promise<void> {
    const target = { Bucket: this.#config.bucket, Key: key };
    const parts = inParts(content);
    const first = (await parts.next()).value ?? Buffer.alloc(0);
    if (first.length < PART) await this.#client.send(new PutObjectCommand({ ...target, Body: first }));
    else await this.#putInParts(target, first, parts);
  }

  async read(file: RemoteFile): Promise<Readable> {
    const { Body } = await this.#client.send(this.#get(file));
    return Body as Readable;
  }

  async delete(file: RemoteFile): Promise<void> {
    const { bucket, key } = placeOf(file);
    await this.#client.send(new DeleteObjectCommand({ Bucket: bucket, Key: key }));
  }

  async publicUrl(file: RemoteFile): Promise<string> {
    return await getSignedUrl(this.#client, this.#get(file), { expiresIn: PRESIGNED });
  }

  #get(file: RemoteFile): GetObjectCommand {
    const { bucket, key } = placeOf(file);
    return new GetObjectCommand({ Bucket: bucket, Key: key });
  }

  async #putInParts(
    target: { Bucket: string; Key: string },
    first: Buffer,
    rest: AsyncIterable<Buffer>,
  ): Promise<void> {
    const { UploadId } = await this.#client.send(new CreateMultipartUploadCommand(target));
    const upload = { ...target, UploadId };
    try {
      const done: CompletedPart[] = [];
      const send = async (Body: Buffer) => {
        const PartNumber = done.length + 1;
        const { ETag } = await this.#client.send(new UploadPartCommand({ ...upload, PartNumber, Body }));
        done.push({ PartNumber, ETag });
      };
      await send(first);
      for await (const part of rest) await send(part);
      await this.#client.send(
        new CompleteMultipartUploadCommand({ ...upload, MultipartUpload: { Parts: done } }),
      );
    } catch (error) {
      await this.#client.send(new AbortMultipartUploadCommand(upload)).catch(() => undefined);
      throw error;
    }
  }
}

function placeOf(file: RemoteFile): { bucket: string; key: string } {
  if (!("S3" in file)) throw new Error("the chunk lies in a local store, and this server has an S3 one");
  return file.S3;
}

/** Gathers what comes into pieces of PART bytes, of which the last may be smaller. */
async function* inParts(content: AsyncIterable<Buffer>): AsyncGenerator<Buffer, undefined> {
  let pieces: Buffer[] = [];
  let length = 0;
  for await (const piece of content) {
    pieces.push(piece);
    length += piece.length;
    while (length >= PART) {
      const all = Buffer.concat(pieces);
      yield all.subarray(0, PART);
      pieces = [all.subarray(PART)];
      length -= PART;
    }
  }
  if (length > 0) yield Buffer.concat(pieces);
}
