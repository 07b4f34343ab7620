/** Changes that come close together are told once, after this many milliseconds. */
const TOGETHER = 20;

/** Tells whoever waits that something has changed. */
export class Changes {
  #waiting: PromiseWithResolvers<void> = Promise.withResolvers();
  #timer: NodeJS.Timeout | undefined;

  tell(): void {
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      this.#waiting.resolve();
      this.#waiting = Promise.withResolvers();
    }, TOGETHER);
  }

  /** Resolves at the next change. Take it before you look, so that none is missed in between. */
  async next(): Promise<void> {
    await this.#waiting.promise;
  }
}
