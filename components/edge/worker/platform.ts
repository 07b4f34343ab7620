import type * as workerd from "@cloudflare/workers-types";

/** The Worker runs in workerd, and is checked beside programs of Node: so it takes its globals, with their own types, from here. */
export const {
  AbortController,
  Request,
  Response,
  ReadableStream,
  FixedLengthStream,
  caches,
  crypto,
  fetch,
} = globalThis as unknown as typeof workerd;

export type Response = workerd.Response;
export type Request = workerd.Request;
export type Headers = workerd.Headers;
export type ReadableStream = workerd.ReadableStream<Uint8Array>;
export type AbortController = workerd.AbortController;
