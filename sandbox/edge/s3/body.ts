import { S3Error } from "./errors.ts";
import { hex } from "./signature.ts";
import type { Workerd } from "./r2.ts";

const workerd = globalThis as unknown as Workerd;

/** What a request brings to be stored. */
export interface Body {
  stream: ReadableStream<Uint8Array>;
  length: number;
  /** What the stream's SHA-256 has to be, as the signature says; undefined where it does not. */
  sha256?: string;
}

/**
 * The bytes that a request brings, out of their chunks where an SDK put them in some (`aws-chunked`): never all at once.
 *
 * @param payload what was signed as the body's hash.
 */
export function bodyOf(request: Request, payload: string): Body {
  const chunked = payload.startsWith("STREAMING-");
  const header = request.headers.get(chunked ? "x-amz-decoded-content-length" : "content-length");
  // Workerd leaves out the body of a request that has none.
  const stream = request.body ?? emptyStream();
  if (header === null || !/^\d+$/.test(header)) throw new S3Error("MissingContentLength");
  const length = Number(header);
  if (chunked) return { stream: sized(stream.pipeThrough(unchunk()), length), length };
  return { stream, length, ...(/^[0-9a-f]{64}$/.test(payload) && { sha256: payload }) };
}

/** A body as text, of the requests that hold XML. @param limit in bytes. */
export async function textOf(request: Request, payload: string, limit: number): Promise<string> {
  const { stream, length, sha256 } = bodyOf(request, payload);
  if (length > limit) throw new S3Error("MalformedXML");
  const text = await new Response(
    checked({ stream, length, ...(sha256 !== undefined && { sha256 }) }),
  ).text();
  return text;
}

/** The body's stream, which fails at its end where its hash is not the signed one. */
export function checked({ stream, length, sha256 }: Body): ReadableStream<Uint8Array> {
  if (sha256 === undefined) return stream;
  const digest = new workerd.crypto.DigestStream("SHA-256");
  const writer = digest.getWriter();
  const check = new TransformStream<Uint8Array, Uint8Array>({
    async transform(chunk, controller) {
      await writer.write(chunk);
      controller.enqueue(chunk);
    },
    async flush() {
      await writer.close();
      if (hex(await digest.digest) !== sha256) throw new S3Error("XAmzContentSHA256Mismatch");
    },
  });
  return sized(stream.pipeThrough(check), length);
}

function sized(stream: ReadableStream<Uint8Array>, length: number): ReadableStream<Uint8Array> {
  return stream.pipeThrough(new workerd.FixedLengthStream(length));
}

function emptyStream(): ReadableStream<Uint8Array> {
  return new ReadableStream({
    start: (controller) => {
      controller.close();
    },
  });
}

/** Takes chunks apart: `<hex length>[;chunk-signature=…]\r\n<bytes>\r\n`, the last of length 0, then trailers. */
function unchunk(): TransformStream<Uint8Array, Uint8Array> {
  let line = "";
  let left = 0;
  let state: "size" | "data" | "after" | "end" = "size";
  return new TransformStream({
    transform(chunk, controller) {
      for (let at = 0; at < chunk.length && state !== "end";) {
        if (state === "data") {
          const piece = chunk.subarray(at, at + left);
          controller.enqueue(piece);
          at += piece.length;
          left -= piece.length;
          if (left === 0) state = "after";
          continue;
        }
        const end = chunk.indexOf(10, at);
        line += String.fromCharCode(...chunk.subarray(at, end < 0 ? chunk.length : end));
        at = end < 0 ? chunk.length : end + 1;
        if (line.length > 1000) throw new S3Error("IncompleteBody");
        if (end < 0) continue;
        if (state === "after") state = "size";
        else {
          const [, size] = /^([0-9a-f]{1,8})(;.*)?\r$/i.exec(line) ?? [];
          if (size === undefined) throw new S3Error("IncompleteBody");
          left = Number.parseInt(size, 16);
          state = left === 0 ? "end" : "data";
        }
        line = "";
      }
    },
    flush() {
      if (state !== "end") throw new S3Error("IncompleteBody");
    },
  });
}
