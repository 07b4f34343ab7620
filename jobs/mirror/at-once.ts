/** Works on everything, on so many at once and no more. @param go asked before each; once it says no, the rest is left. */
export async function atOnce<T>(
  all: Iterable<T>,
  most: number,
  work: (one: T) => Promise<void>,
  go: () => boolean = () => true,
): Promise<void> {
  const left = all[Symbol.iterator]();
  const worker = async () => {
    while (go()) {
      const next = left.next();
      if (next.done === true) return;
      await work(next.value);
    }
  };
  await Promise.all(Array.from({ length: most }, worker));
}
