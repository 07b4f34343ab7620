import { createHash, createHmac } from "node:crypto";

export interface S3Credentials {
  region: string;
  accessKeyId: string;
  /** Secret. */
  secretAccessKey: string;
  /** Of credentials that end. Secret. */
  sessionToken?: string;
}

/** The request that is signed. */
export interface Unsigned {
  method: string;
  url: URL;
  /** SHA-256 of the body in hexadecimal digits. */
  bodyHash: string;
}

/** Signature version 4 in the header (docs.aws.amazon.com, "Authenticating Requests: Using the Authorization Header"). */
export class Signer {
  readonly #credentials: S3Credentials;
  /** The key holds for a day. */
  #key: { day: string; bytes: Buffer } = { day: "", bytes: Buffer.alloc(0) };

  constructor(credentials: S3Credentials) {
    this.#credentials = credentials;
  }

  /** @returns the headers that have to go with it. */
  headers({ method, url, bodyHash }: Unsigned, now = new Date()): Record<string, string> {
    const { region, accessKeyId, sessionToken } = this.#credentials;
    const time = now.toISOString().replace(/[-:]|\.\d+/g, "");
    const day = time.slice(0, 8);
    const headers: Record<string, string> = {
      host: url.host,
      "x-amz-content-sha256": bodyHash,
      "x-amz-date": time,
      ...(sessionToken !== undefined && { "x-amz-security-token": sessionToken }),
    };
    const names = Object.keys(headers).join(";");
    const request = [
      method,
      url.pathname,
      [...url.searchParams]
        .map(([name, value]) => `${escaped(name)}=${escaped(value)}`)
        .sort()
        .join("&"),
      ...Object.entries(headers).map(([name, value]) => `${name}:${value}`),
      "",
      names,
      bodyHash,
    ].join("\n");
    const scope = `${day}/${region}/s3/aws4_request`;
    const text = ["AWS4-HMAC-SHA256", time, scope, sha256(request)].join("\n");
    const signature = createHmac("sha256", this.#keyOf(day)).update(text).digest("hex");
    const authorization = `AWS4-HMAC-SHA256 Credential=${accessKeyId}/${scope}, SignedHeaders=${names}, Signature=${signature}`;
    return { ...headers, authorization };
  }

  #keyOf(day: string): Buffer {
    const { region, secretAccessKey } = this.#credentials;
    if (this.#key.day !== day) {
      const start: Buffer | string = `AWS4${secretAccessKey}`;
      const bytes = [day, region, "s3", "aws4_request"].reduce<Buffer | string>(
        (key, part) => createHmac("sha256", key).update(part).digest(),
        start,
      );
      this.#key = { day, bytes: Buffer.from(bytes) };
    }
    return this.#key.bytes;
  }
}

export function sha256(bytes: Buffer | string): string {
  return createHash("sha256").update(bytes).digest("hex");
}

/** Percent-encodes as the signature wants it, which is all but letters, digits and -._~ */
export function escaped(text: string): string {
  return encodeURIComponent(text).replace(
    /[!'()*]/g,
    (mark) => `%${mark.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}
