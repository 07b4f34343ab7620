/** So many bytes of NARs may be in memory at once; who wants more than is free waits, in the order of coming. */
export class Memory {
  readonly #size: number;
  #free: number;
  readonly #waiting: { bytes: number; go: () => void }[] = [];

  constructor(size: number) {
    this.#size = size;
    this.#free = size;
  }

  /** @param bytes what is more than there is counts as all of it. */
  async with<T>(bytes: number, work: () => Promise<T>): Promise<T> {
    const wanted = Math.min(bytes, this.#size);
    if (this.#waiting.length > 0 || wanted > this.#free)
      await new Promise<void>((go) => this.#waiting.push({ bytes: wanted, go }));
    else this.#free -= wanted;
    try {
      return await work();
    } finally {
      this.#free += wanted;
      for (
        let [next] = this.#waiting;
        next !== undefined && next.bytes <= this.#free;
        [next] = this.#waiting
      ) {
        this.#waiting.shift();
        this.#free -= next.bytes;
        next.go();
      }
    }
  }
}
