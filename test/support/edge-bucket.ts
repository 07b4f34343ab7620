import {
  CreateBucketCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  ListMultipartUploadsCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  S3Client,
} from "@aws-sdk/client-s3";
import { NAR_FILE } from "../../components/edge/layout.ts";
import { decompress } from "../contract/support/decompress.ts";
import { isSignedBy, parseNarInfo } from "../contract/support/narinfo.ts";
import { sha256 } from "../contract/support/nar.ts";
import { toNixBase32 } from "../../sandbox/attic/nix/base32.ts";
import type { S3Server } from "./s3-server.ts";

/** The edge's bucket, seen through AWS' own client. */
export class EdgeBucket {
  readonly name: string;
  readonly #client: S3Client;
  /** The NARs of narinfos that were looked at, by their keys, ETags and signers. */
  readonly #sound = new Map<string, string>();

  private constructor(name: string, client: S3Client) {
    this.name = name;
    this.#client = client;
  }

  static async make(server: S3Server, name: string): Promise<EdgeBucket> {
    const { endpoint, region, accessKeyId, secretAccessKey } = server;
    const credentials = { accessKeyId, secretAccessKey };
    const client = new S3Client({ endpoint, region, credentials, forcePathStyle: true });
    await client.send(new CreateBucketCommand({ Bucket: name }));
    return new EdgeBucket(name, client);
  }

  /** In the order of their keys. */
  async list(prefix = ""): Promise<{ key: string; etag: string }[]> {
    const objects: { key: string; etag: string }[] = [];
    let token: string | undefined;
    do {
      const asked = { Bucket: this.name, Prefix: prefix, ContinuationToken: token };
      const page = await this.#client.send(new ListObjectsV2Command(asked));
      objects.push(...(page.Contents ?? []).map(({ Key = "", ETag = "" }) => ({ key: Key, etag: ETag })));
      token = page.NextContinuationToken;
    } while (token !== undefined);
    return objects;
  }

  async keys(prefix?: string): Promise<string[]> {
    return (await this.list(prefix)).map(({ key }) => key);
  }

  /** What belongs to a cache, not to the mirror. */
  async cacheKeys(): Promise<string[]> {
    return (await this.keys()).filter((key) => !key.startsWith("_edge/"));
  }

  /** The hashes of the paths of a cache. */
  async paths(cache = "main"): Promise<string[]> {
    const keys = await this.keys(`${cache}/`);
    return keys.flatMap((key) => /\/([^/]+)\.narinfo$/.exec(key)?.[1] ?? []);
  }

  /** The names of the NAR files of a cache. */
  async nars(cache = "main"): Promise<string[]> {
    return (await this.keys(`${cache}/nar/`)).map((key) => key.slice(`${cache}/nar/`.length));
  }

  async get(key: string): Promise<Buffer> {
    const { Body } = await this.#client.send(new GetObjectCommand({ Bucket: this.name, Key: key }));
    return Buffer.from((await Body?.transformToByteArray()) ?? []);
  }

  async put(key: string, body: string | Buffer): Promise<void> {
    await this.#client.send(new PutObjectCommand({ Bucket: this.name, Key: key, Body: body }));
  }

  async delete(key: string): Promise<void> {
    await this.#client.send(new DeleteObjectCommand({ Bucket: this.name, Key: key }));
  }

  async unfinished(): Promise<number> {
    const { Uploads = [] } = await this.#client.send(new ListMultipartUploadsCommand({ Bucket: this.name }));
    return Uploads.length;
  }

  async narInfo(hash: string, cache = "main"): Promise<Record<string, string>> {
    return parseNarInfo((await this.get(`${cache}/${hash}.narinfo`)).toString());
  }

  /**
   * What Nix would not take of what a cache says it has, in words; nothing where all is well. What was looked at once
   * and is still the same is not looked at again.
   */
  async faults(publicKey: string, cache = "main"): Promise<string[]> {
    const there = new Map((await this.list(`${cache}/`)).map(({ key, etag }) => [key, etag]));
    const faults: string[] = [];
    for (const [key, etag] of there) {
      const hash = /\/([^/]+)\.narinfo$/.exec(key)?.[1];
      if (hash === undefined) continue;
      const mark = `${key} ${etag} ${publicKey}`;
      const nar = this.#sound.get(mark);
      if (nar !== undefined && there.has(nar)) continue;
      try {
        this.#sound.set(mark, await this.#look(hash, publicKey, cache));
      } catch (error) {
        faults.push(`${hash}: ${(error as Error).message}`);
      }
    }
    return faults;
  }

  /** @returns the key of its NAR. @throws Error in words of what is wrong with it. */
  async #look(hash: string, publicKey: string, cache: string): Promise<string> {
    const info = await this.narInfo(hash, cache);
    const { URL: url = "", FileHash, FileSize, NarHash, NarSize, Compression = "", StorePath = "" } = info;
    const key = `${cache}/${url}`;
    const file = await this.get(key);
    const nar = decompress(Compression, file);
    const facts = {
      url: NAR_FILE.test(url.replace(/^nar\//, "")) && `sha256:${url.slice(4, 56)}` === base32(nar),
      fileHash: FileHash === base32(file),
      fileSize: FileSize === String(file.length),
      narHash: NarHash === sha256(nar),
      narSize: NarSize === String(nar.length),
      path: StorePath.includes(hash),
      signature: isSignedBy(info, publicKey),
    };
    const wrong = Object.entries(facts).flatMap(([name, holds]) => (holds ? [] : [name]));
    if (wrong.length > 0) throw new Error(`wrong ${wrong.join(", ")}`);
    return key;
  }
}

function base32(bytes: Buffer): string {
  return `sha256:${toNixBase32(Buffer.from(sha256(bytes).slice("sha256:".length), "hex"))}`;
}
