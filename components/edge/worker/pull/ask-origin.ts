import { Fault } from "../fault.ts";
import { AbortController, fetch, ReadableStream, Response } from "../platform.ts";

/** How long the server may take to answer, and then for each piece of its answer, in milliseconds. */
const PATIENCE = 8000;
/** How much is read at once, in bytes. */
const PIECE = 65_536;

/**
 * Asks the server behind the edge as anybody could: nothing of the request that is being answered goes along. Follows
 * it to the bucket where it sends on to that.
 *
 * @returns undefined where the server does not have it, or not for everybody.
 * @throws Fault where it cannot be reached, takes too long, or answers anything else. A body that stops half way is
 *   an error of the stream, and never looks like its end.
 */
export async function askOrigin(address: string): Promise<Response | undefined> {
  const abort = new AbortController();
  const inTime = async <T>(work: Promise<T>): Promise<T> => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const tooLate = new Promise<never>((_, reject) => {
      timer = setTimeout(() => {
        reject(new Fault(504, "The server behind the edge took too long."));
        abort.abort();
      }, PATIENCE);
    });
    try {
      return await Promise.race([work, tooLate]);
    } finally {
      clearTimeout(timer);
    }
  };

  const response = await inTime(fetch(address, { signal: abort.signal })).catch((error: unknown) => {
    throw error instanceof Fault ? error : new Fault(502, "The server behind the edge cannot be reached.");
  });
  if (response.status === 200 && response.body !== null) {
    const reader = response.body.getReader({ mode: "byob" });
    const body = new ReadableStream<Uint8Array>({
      async pull(controller) {
        const { done, value } = await inTime(reader.read(new Uint8Array(PIECE)));
        if (done) controller.close();
        else controller.enqueue(value);
      },
      cancel: () => {
        abort.abort();
      },
    });
    return new Response(body, response);
  }
  await response.body?.cancel();
  if ([401, 403, 404, 410].includes(response.status)) return undefined;
  throw nonsense();
}

export function nonsense(): Fault {
  return new Fault(502, "The server behind the edge answered nonsense.");
}
