import type { WritableStream } from "@cloudflare/workers-types";
import { ReadableStream } from "../platform.ts";

/**
 * A stream that is written elsewhere as well while it is read, at the pace of the slower of both: `tee` would hold in
 * memory what lies between them.
 *
 * @param done ends when nobody reads the copy any more; the stream then goes on without it.
 */
export function copied(
  source: ReadableStream,
  copy: WritableStream<Uint8Array>,
  done: Promise<unknown>,
): ReadableStream {
  const reader = source.getReader();
  const writer = copy.getWriter();
  const orDone = async (work: Promise<unknown>) => {
    await Promise.race([work.catch(() => undefined), done]);
  };
  return new ReadableStream<Uint8Array>({
    async pull(controller) {
      try {
        const { done: isLast, value } = await reader.read();
        if (isLast) {
          await orDone(writer.close());
          controller.close();
          return;
        }
        controller.enqueue(value);
        await orDone(writer.write(value));
      } catch (error) {
        await orDone(writer.abort(error));
        throw error;
      }
    },
    async cancel(reason) {
      await orDone(writer.abort(reason));
      await reader.cancel(reason);
    },
  });
}
