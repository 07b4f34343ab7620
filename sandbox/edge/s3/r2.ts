/** What of workerd's own types the S3 API uses: the R2 binding, and streams and digests that Node has not. */

export interface Found {
  key: string;
  size: number;
  httpEtag: string;
  uploaded: Date;
  httpMetadata?: HttpMetadata;
  customMetadata?: Record<string, string>;
  storageClass?: string;
  range?: { offset?: number; length?: number; suffix?: number };
  /** Of an object that was asked for; absent where a condition did not hold. */
  body?: ReadableStream<Uint8Array>;
}

export interface HttpMetadata {
  contentType?: string;
  contentLanguage?: string;
  contentDisposition?: string;
  contentEncoding?: string;
  cacheControl?: string;
  cacheExpiry?: Date;
}

export interface PutOptions {
  httpMetadata?: HttpMetadata;
  customMetadata?: Record<string, string>;
  onlyIf?: Headers;
  md5?: Uint8Array;
  sha1?: Uint8Array;
  sha256?: Uint8Array;
}

export interface Upload {
  uploadId: string;
  uploadPart(
    part: number,
    body: ReadableStream<Uint8Array> | Uint8Array,
  ): Promise<{ partNumber: number; etag: string }>;
  complete(parts: { partNumber: number; etag: string }[]): Promise<Found>;
  abort(): Promise<void>;
}

export interface Listing {
  objects: Found[];
  delimitedPrefixes: string[];
  truncated: boolean;
  cursor?: string;
}

export interface Bucket {
  head(key: string): Promise<Found | null>;
  get(
    key: string,
    options?: { onlyIf?: Headers; range?: { offset: number; length?: number } | { suffix: number } },
  ): Promise<Found | null>;
  put(key: string, body: ReadableStream<Uint8Array> | Uint8Array, options: PutOptions): Promise<Found | null>;
  delete(keys: string[]): Promise<void>;
  list(options: {
    prefix?: string;
    delimiter?: string;
    startAfter?: string;
    cursor?: string;
    limit: number;
  }): Promise<Listing>;
  createMultipartUpload(
    key: string,
    options: { httpMetadata?: HttpMetadata; customMetadata?: Record<string, string> },
  ): Promise<Upload>;
  resumeMultipartUpload(key: string, uploadId: string): Upload;
}

/** Workerd's own, by which a stream's length is known before its end. */
export declare class FixedLength extends TransformStream<Uint8Array, Uint8Array> {
  constructor(length: number);
}

/** Workerd's `FixedLengthStream` and `crypto.DigestStream`, which no type of Node's names. */
export interface Workerd {
  FixedLengthStream: typeof FixedLength;
  crypto: {
    DigestStream: new (algorithm: "SHA-256") => WritableStream<Uint8Array> & { digest: Promise<ArrayBuffer> };
  };
}
