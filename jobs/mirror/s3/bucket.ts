import { createHash } from "node:crypto";
import type { IncomingMessage } from "node:http";
import type { Service } from "../service.ts";
import { Failure, Stopped, Transient } from "../trouble.ts";
import { escaped, type S3Credentials, sha256, Signer } from "./sign.ts";
import { elements, text } from "./xml.ts";

export interface S3Target extends S3Credentials {
  endpoint: string;
  bucket: string;
}

/** An object as a list shows it. */
export interface Listed {
  key: string;
  size: number;
  etag: string;
}

/** A part of an upload, or an object as a whole. */
export interface Content {
  pieces: readonly Buffer[];
  size: number;
  /** In hexadecimal digits. */
  sha256: string;
}

export interface Upload {
  key: string;
  id: string;
}

/** How many keys may go in one request to delete. */
const MOST_DELETED = 1000;
/** A large upload takes the store a while to put together, in milliseconds. */
const COMPLETING = 300_000;
const NOTHING: Content = { pieces: [], size: 0, sha256: sha256("") };

interface Options {
  query?: Readonly<Record<string, string>>;
  headers?: Readonly<Record<string, string>>;
  content?: Content;
  abort?: AbortSignal;
  silence?: number;
}

/** A bucket of any server that speaks S3, addressed by path. */
export class Bucket {
  readonly #target: S3Target;
  readonly #service: Service;
  readonly #signer: Signer;

  constructor(target: S3Target, service: Service) {
    this.#target = target;
    this.#service = service;
    this.#signer = new Signer(target);
  }

  /** @returns undefined where there is none. */
  async get(key: string): Promise<Buffer | undefined> {
    return await this.#retrying("GET", key, async () => {
      const response = await this.#send("GET", key);
      if (response.statusCode === 404 && (await this.#code(response)) === "NoSuchKey") return undefined;
      return await this.#service.bytes(await this.#ok(response));
    });
  }

  /** The bytes of an object as they come. One try. */
  async *read(key: string): AsyncGenerator<Buffer, undefined> {
    yield* this.#service.read(await this.#ok(await this.#send("GET", key)));
  }

  /** @returns its ETag. */
  async put(key: string, content: Content, type: string): Promise<string> {
    return await this.#changing("PUT", key, async () => {
      const response = await this.#ok(
        await this.#send("PUT", key, { content, headers: { "content-type": type } }),
      );
      await this.#service.text(response);
      return etagOf(response);
    });
  }

  /** @returns the keys that are not gone. */
  async delete(keys: readonly string[]): Promise<string[]> {
    const left: string[] = [];
    for (let start = 0; start < keys.length; start += MOST_DELETED)
      left.push(...(await this.#deleteSome(keys.slice(start, start + MOST_DELETED))));
    return left;
  }

  async #deleteSome(keys: readonly string[]): Promise<string[]> {
    const objects = keys.map((key) => `<Object><Key>${key}</Key></Object>`).join("");
    const body = Buffer.from(`<Delete><Quiet>true</Quiet>${objects}</Delete>`);
    const headers = {
      "content-type": "application/xml",
      "content-md5": createHash("md5").update(body).digest("base64"),
    };
    const content = { pieces: [body], size: body.length, sha256: sha256(body) };
    return await this.#retrying("POST", "?delete", async () => {
      const response = await this.#send("POST", "", { query: { delete: "" }, content, headers });
      const answer = await this.#service.text(await this.#ok(response));
      if (!answer.includes("DeleteResult")) throw new Transient("it does not say what was deleted");
      return elements(answer, "Error").map((error) => text(error, "Key"));
    });
  }

  /** All objects whose keys begin with that, in the order of their keys. */
  async *list(prefix: string): AsyncGenerator<Listed, undefined> {
    for await (const page of this.#pages({ prefix }))
      for (const object of elements(page, "Contents"))
        yield {
          key: decodeURIComponent(text(object, "Key")),
          size: Number(text(object, "Size")),
          etag: text(object, "ETag").replaceAll('"', ""),
        };
  }

  /** What stands before the first slash of keys. */
  async folders(): Promise<string[]> {
    const names: string[] = [];
    for await (const page of this.#pages({ delimiter: "/" }))
      for (const common of elements(page, "CommonPrefixes"))
        names.push(decodeURIComponent(text(common, "Prefix")).replace(/\/$/, ""));
    return names;
  }

  async *#pages(query: Readonly<Record<string, string>>): AsyncGenerator<string, undefined> {
    let token: string | undefined;
    do {
      const asked = {
        "list-type": "2",
        "encoding-type": "url",
        ...query,
        ...(token !== undefined && { "continuation-token": token }),
      };
      const page = await this.#retrying("GET", "?list-type=2", async () => {
        const answer = await this.#service.text(
          await this.#ok(await this.#send("GET", "", { query: asked })),
          2 ** 24,
        );
        // Half a page would look like a bucket that holds less.
        if (!answer.trimEnd().endsWith("</ListBucketResult>"))
          throw new Transient("it is no list of a bucket", 4);
        return answer;
      });
      yield page;
      token = text(page, "IsTruncated") === "true" ? text(page, "NextContinuationToken") : undefined;
    } while (token !== undefined && token !== "");
  }

  async beginUpload(key: string, type: string): Promise<Upload> {
    return await this.#retrying("POST", key, async () => {
      const headers = { "content-type": type };
      const answer = await this.#ok(await this.#send("POST", key, { query: { uploads: "" }, headers }));
      const id = text(await this.#service.text(answer), "UploadId");
      if (id === "") throw new Transient("it named no upload", 4);
      return { key, id };
    });
  }

  /** @param number from 1 on. @returns its ETag. */
  async putPart({ key, id }: Upload, number: number, content: Content, abort: AbortSignal): Promise<string> {
    const query = { partNumber: String(number), uploadId: id };
    return await this.#retrying("PUT", key, async () => {
      const response = await this.#ok(await this.#send("PUT", key, { query, content, abort }));
      await this.#service.text(response);
      return etagOf(response);
    });
  }

  /** @param etags of its parts, in their order. */
  async completeUpload({ key, id }: Upload, etags: readonly string[], size: number): Promise<void> {
    const parts = etags.map(
      (etag, index) => `<Part><PartNumber>${index + 1}</PartNumber><ETag>"${etag}"</ETag></Part>`,
    );
    const body = Buffer.from(`<CompleteMultipartUpload>${parts.join("")}</CompleteMultipartUpload>`);
    const content = { pieces: [body], size: body.length, sha256: sha256(body) };
    await this.#changing("POST", key, async () => {
      const response = await this.#send("POST", key, {
        query: { uploadId: id },
        content,
        silence: COMPLETING,
      });
      // A try whose answer was lost may have done it.
      if (response.statusCode === 404 && (await this.#sizeOf(key)) === size) return;
      const answer = await this.#service.text(await this.#ok(response));
      // It may begin with 200 and then fail.
      if (!answer.includes("CompleteMultipartUploadResult"))
        throw new Transient(`the upload was not put together: ${text(answer, "Code")}`);
    });
  }

  async abortUpload({ key, id }: Upload): Promise<void> {
    await this.#retrying("DELETE", key, async () => {
      const response = await this.#send("DELETE", key, { query: { uploadId: id } });
      await this.#service.text(response.statusCode === 404 ? response : await this.#ok(response));
    });
  }

  /**
   * Uploads that were begun and neither finished nor given up; none where the store does not tell, which a lifecycle
   * rule of its own then has to see to.
   */
  async unfinished(): Promise<Upload[]> {
    return await this.#retrying("GET", "?uploads", async () => {
      const response = await this.#send("GET", "", { query: { uploads: "" } });
      if (response.statusCode === 501) {
        response.resume();
        return [];
      }
      return elements(await this.#service.text(await this.#ok(response)), "Upload").map((upload) => ({
        key: text(upload, "Key"),
        id: text(upload, "UploadId"),
      }));
    });
  }

  async #sizeOf(key: string): Promise<number | undefined> {
    const response = await this.#send("HEAD", key);
    response.resume();
    return response.statusCode === 200 ? Number(response.headers["content-length"]) : undefined;
  }

  async #retrying<T>(method: string, key: string, attempt: () => Promise<T>): Promise<T> {
    return await this.#service.retrying(
      `${method} ${this.#target.bucket}/${key} at the object store`,
      attempt,
    );
  }

  /** The same for what makes an object: where it is given up, it is not known whether it was made. */
  async #changing<T>(method: string, key: string, attempt: () => Promise<T>): Promise<T> {
    try {
      return await this.#retrying(method, key, attempt);
    } catch (error) {
      throw error instanceof Stopped
        ? new Failure(`${method} ${key} was given up when the run was asked to end`)
        : error;
    }
  }

  async #send(method: string, key: string, options: Options = {}): Promise<IncomingMessage> {
    const { query = {}, headers = {}, content = NOTHING, abort, silence } = options;
    const { endpoint, bucket } = this.#target;
    const url = new URL(endpoint);
    const folder = url.pathname.replace(/\/$/, "");
    url.pathname = `${folder}/${bucket}${key === "" ? "" : `/${key.split("/").map(escaped).join("/")}`}`;
    url.search = Object.entries(query)
      .map(([name, value]) => `${escaped(name)}=${escaped(value)}`)
      .join("&");
    const signed = this.#signer.headers({ method, url, bodyHash: content.sha256 });
    const length = method === "GET" || method === "HEAD" ? {} : { "content-length": String(content.size) };
    return await this.#service.send({
      method,
      url,
      headers: { ...signed, ...headers, ...length },
      body: content.pieces,
      ...(abort && { abort }),
      ...(silence !== undefined && { silence }),
    });
  }

  /** @throws Transient for what may pass, Failure with S3's own name of it for the rest. */
  async #ok(response: IncomingMessage): Promise<IncomingMessage> {
    const { statusCode: status = 0 } = response;
    if (status >= 200 && status < 300) return response;
    const code = await this.#code(response);
    const words = `it answered ${status}${code === "" ? "" : ` ${code}`}`;
    if (status === 429 || status >= 500) throw new Transient(words);
    // Something between here and there ate the body, or the clock was put right.
    if (status === 408 || code === "RequestTimeout" || code === "BadDigest") throw new Transient(words);
    throw new Failure(words);
  }

  async #code(response: IncomingMessage): Promise<string> {
    return text(await this.#service.text(response), "Code")
      .replace(/\W/g, "")
      .slice(0, 60);
  }
}

/** @throws Transient where there is none: then it was not the store that answered, and nothing is stored. */
function etagOf(response: IncomingMessage): string {
  const etag = (response.headers.etag ?? "").replace(/^W\//, "").replaceAll('"', "");
  if (!/^[\x21-\x7e]+$/.test(etag)) throw new Transient("it answered 200 and named no ETag");
  return etag;
}
