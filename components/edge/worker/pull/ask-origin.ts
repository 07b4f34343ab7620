import { Fault } from "../fault.ts";
import { AbortController, fetch, ReadableStream } from "../platform.ts";

/** What comes from the server behind the edge. */
export interface Download {
  body: ReadableStream;
  /** In bytes, where the server has said it. */
  size: number | undefined;
  /** How many bytes have come by now. */
  received: () => number;
  /** What has broken the body off, if anything has. */
  broken: () => Fault | undefined;
}

/** How long the server may take to answer, and then for each piece of its answer, in milliseconds. */
const PATIENCE = 8000;
/** How much is read at once, in bytes. */
const PIECE = 65_536;

/**
 * Asks the server behind the edge as anybody could: nothing of the request that is being answered goes along. Follows
 * it to its bucket where it sends on to that.
 *
 * @returns undefined where the server does not have it, or not for everybody.
 * @throws Fault where it cannot be reached, takes too long, or answers anything else; the body throws the same.
 */
export async function askOrigin(address: string): Promise<Download | undefined> {
  const abort = new AbortController();
  const response = await inTime(abort, fetch(address, { signal: abort.signal }));
  if (response.status !== 200 || response.body === null) {
    await response.body?.cancel();
    if ([401, 403, 404, 410].includes(response.status)) return undefined;
    throw nonsense();
  }
  const reader = response.body.getReader({ mode: "byob" });
  let fault: Fault | undefined;
  let received = 0;
  const body = new ReadableStream<Uint8Array>({
    async pull(controller) {
      try {
        const { done, value } = await inTime(abort, reader.read(new Uint8Array(PIECE)));
        received += value?.length ?? 0;
        if (done) controller.close();
        else controller.enqueue(value);
      } catch (error) {
        fault = error as Fault;
        throw error;
      }
    },
    cancel: () => {
      abort.abort();
    },
  });
  // Of what was encoded on its way it is the length on the way.
  const length = response.headers.has("content-encoding") ? null : response.headers.get("content-length");
  const size = length === null ? undefined : Number(length);
  return { body, size, received: () => received, broken: () => fault };
}

export function nonsense(): Fault {
  return new Fault(502, "The server behind the edge answered nonsense.");
}

/** @throws Fault where the work fails, or takes longer than a server may; it is then given up. */
async function inTime<T>(abort: AbortController, work: Promise<T>): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const tooLate = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      reject(new Fault(504, "The server behind the edge took too long."));
      abort.abort();
    }, PATIENCE);
  });
  try {
    return await Promise.race([work, tooLate]);
  } catch (error) {
    throw error instanceof Fault ? error : new Fault(502, "The server behind the edge cannot be reached.");
  } finally {
    clearTimeout(timer);
  }
}
