import { once } from "node:events";
import { type IncomingMessage, type IncomingHttpHeaders, request as rawRequest } from "node:http";
import type { Readable } from "node:stream";
import { Miniflare, type Request, type RequestInit, Response } from "miniflare";
import { bundleWorker } from "../../components/edge/bundle.ts";
import type { EdgeConfig } from "../../components/edge/layout.ts";
import { COMPATIBILITY_DATE } from "../../components/edge/worker/compatibility.ts";

export interface WorkerOptions {
  /** Anything else than an EdgeConfig is for tests of what is wrong. */
  config: unknown;
  /** What the bucket holds, by key. */
  objects?: Readonly<Record<string, string | Uint8Array>>;
  /** What goes wrong in the bindings; may be changed while the Worker runs. */
  faults?: Faults;
  /** The bundle alone: nothing can go wrong in its bindings, and nobody hears what it reads. */
  alone?: boolean;
}

export interface Faults {
  /** The bucket throws this at every call. */
  bucket?: string;
  /** Reads cannot be noted. */
  reads?: boolean;
  /** Every object breaks off half way. */
  broken?: boolean;
  /** Every object has so many bytes, which are made when they are read. */
  endless?: number;
}

/** A data point as Analytics Engine would be given it. */
export interface Read {
  indexes: string[];
  blobs: string[];
}

/**
 * The bundle, byte for byte, behind a module that gives it its bindings: those of miniflare, and for Analytics Engine,
 * which miniflare only pretends to have, one that tells this process.
 */
const AROUND = `
import worker from "./worker.js";

export default {
  async fetch(request, env, context) {
    const tell = async (what, value) =>
      (await env.HOST.fetch("http://host/" + what, { method: "POST", body: JSON.stringify(value) })).json();
    const faults = await tell("faults", null);
    const notes = [];
    const READS = {
      writeDataPoint(point) {
        if (faults.reads) throw new Error("no reads today");
        notes.push(tell("read", point));
      },
    };
    const endless = {
      httpEtag: '"endless"', etag: "endless", uploaded: new Date(0), size: faults.endless,
      get body() {
        return new ReadableStream({
          async pull(controller) {
            await tell("made", 65536);
            controller.enqueue(new Uint8Array(65536));
          },
        }, { highWaterMark: 0 });
      },
    };
    const half = async (object) => {
      const bytes = new Uint8Array(await object.arrayBuffer());
      const { readable, writable } = new FixedLengthStream(bytes.length);
      const writer = writable.getWriter();
      void writer.write(bytes.slice(0, bytes.length / 2)).then(() => writer.abort(new Error("broke off"))).catch(() => {});
      const { httpEtag, etag, uploaded, size } = object;
      return { httpEtag, etag, uploaded, size, body: readable };
    };
    const of = (method) => async (...given) => {
      if (faults.bucket) throw new Error(faults.bucket);
      await tell("asked", method);
      if (faults.endless) return endless;
      const object = await env.BUCKET[method](...given);
      return faults.broken && object?.body ? half(object) : object;
    };
    const waitUntil = (work) => {
      notes.push(tell("begun", null));
      context.waitUntil(work.finally(() => tell("ended", null)));
    };
    const BUCKET = { get: of("get"), head: of("head") };
    const answer = await worker.fetch(request, { ...env, BUCKET, READS }, { waitUntil });
    await Promise.all(notes);
    return answer;
  },
};
`;

/** The edge's Worker in Cloudflare's own runtime, with a real R2 binding. */
export class TestWorker implements AsyncDisposable {
  readonly #miniflare: Miniflare;
  readonly #seen: Seen;
  readonly url: URL;

  private constructor(miniflare: Miniflare, seen: Seen, url: URL) {
    this.#miniflare = miniflare;
    this.#seen = seen;
    this.url = url;
  }

  static async start({
    config,
    objects = {},
    faults = {},
    alone = false,
  }: WorkerOptions): Promise<TestWorker> {
    const seen: Seen = { faults, reads: [], asked: [], log: "", made: 0, underWay: 0 };
    const miniflare = new Miniflare({
      modules: [
        ...(alone ? [] : [{ type: "ESModule", path: "around.js", contents: AROUND } as const]),
        { type: "ESModule", path: "worker.js", contents: await bundleWorker() },
      ],
      modulesRoot: "/",
      compatibilityDate: COMPATIBILITY_DATE,
      bindings: { CONFIG: config as EdgeConfig & Record<string, never> },
      r2Buckets: ["BUCKET"],
      serviceBindings: { HOST: async (request: Request) => await hear(seen, request) },
      handleRuntimeStdio: (...streams: Readable[]) => {
        for (const stream of streams) stream.on("data", (text: Buffer) => (seen.log += text.toString()));
      },
    });
    try {
      const worker = new TestWorker(miniflare, seen, await miniflare.ready);
      await worker.put(objects);
      return worker;
    } catch (error) {
      await miniflare.dispose();
      throw error;
    }
  }

  async fetch(path: string, init?: RequestInit): Promise<Response> {
    return await this.#miniflare.dispatchFetch(`http://cache.example.com${path}`, init);
  }

  /** Asks for a path as it stands, with nothing of it normalised. @returns status, headers and all that was said. */
  async raw(
    path: string,
    headers: Readonly<Record<string, string>> = {},
    method = "GET",
  ): Promise<{ status: number; headers: IncomingHttpHeaders; body: Buffer }> {
    const { hostname, port } = this.url;
    const request = rawRequest({ hostname, port, path, headers, method, setHost: !("host" in headers) });
    const answered = once(request, "response") as Promise<[IncomingMessage]>;
    request.end();
    const [answer] = await answered;
    const body = Buffer.concat(await answer.toArray());
    return { status: answer.statusCode ?? 0, headers: answer.headers, body };
  }

  async put(objects: Readonly<Record<string, string | Uint8Array>>): Promise<void> {
    const bucket = await this.#miniflare.getR2Bucket("BUCKET");
    for (const [key, value] of Object.entries(objects)) await bucket.put(key, value);
  }

  /** What the bucket holds, where that is less than a thousand objects. */
  async keys(): Promise<string[]> {
    const { objects } = await (await this.#miniflare.getR2Bucket("BUCKET")).list();
    return objects.map(({ key }) => key);
  }

  async delete(key: string): Promise<void> {
    await (await this.#miniflare.getR2Bucket("BUCKET")).delete(key);
  }

  set faults(faults: Faults) {
    this.#seen.faults = faults;
  }

  /** The reads that were noted since this was asked last. */
  takeReads(): Read[] {
    return this.#seen.reads.splice(0);
  }

  /** The calls to the bucket since this was asked last, by the names of the binding's methods. */
  takeAsked(): string[] {
    return this.#seen.asked.splice(0);
  }

  /** What the Worker has written for its operator. */
  get log(): string {
    return this.#seen.log;
  }

  /** Bytes that were made of endless objects. */
  get made(): number {
    return this.#seen.made;
  }

  /** Until nothing goes on any more beside answers. */
  async settle(): Promise<void> {
    while (this.#seen.underWay > 0) await new Promise((resolve) => setTimeout(resolve, 5));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#miniflare.dispose();
  }
}

interface Seen {
  faults: Faults;
  reads: Read[];
  asked: string[];
  log: string;
  made: number;
  underWay: number;
}

async function hear(seen: Seen, request: Request): Promise<Response> {
  const value: unknown = await request.json();
  const what = new URL(request.url).pathname.slice(1);
  if (what === "read") seen.reads.push(value as Read);
  else if (what === "asked") seen.asked.push(value as string);
  else if (what === "made") seen.made += value as number;
  else if (what === "begun") seen.underWay += 1;
  else if (what === "ended") seen.underWay -= 1;
  return Response.json(what === "faults" ? seen.faults : {});
}
