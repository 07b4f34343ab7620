import type { IncomingMessage } from "node:http";

/**
 * What a client sends, piece by piece. Who stops half way leaves the connection as it is, so that the answer that
 * says why still arrives; what is left is thrown away afterwards.
 */
export function bodyOf(request: IncomingMessage): AsyncIterable<Buffer> {
  return { [Symbol.asyncIterator]: () => request.iterator({ destroyOnReturn: false }) };
}

/**
 * Takes the first bytes of a stream off it.
 *
 * @returns fewer bytes where the stream has no more.
 */
export async function split(
  source: AsyncIterable<Buffer>,
  size: number,
): Promise<{ head: Buffer; rest: AsyncIterable<Buffer> }> {
  const iterator = source[Symbol.asyncIterator]();
  let head = Buffer.alloc(0);
  while (head.length < size) {
    const next = await iterator.next();
    if (next.done === true) break;
    head = Buffer.concat([head, next.value]);
  }
  const left = head.subarray(size);
  const remaining = { [Symbol.asyncIterator]: () => iterator };
  const rest = (async function* () {
    if (left.length > 0) yield left;
    yield* remaining;
  })();
  return { head: head.subarray(0, size), rest };
}

/** At most so many bytes of a stream; what follows is not read. */
export async function* atMost(
  source: AsyncIterable<Buffer>,
  size: number,
): AsyncGenerator<Buffer, undefined> {
  let left = size;
  if (left === 0) return;
  for await (const piece of source) {
    yield piece.length > left ? piece.subarray(0, left) : piece;
    left -= piece.length;
    if (left <= 0) return;
  }
}
