import { AtticApi } from "./attic-api.ts";
import { type AtticOptions, startAttic, type TestAttic } from "./attic-server.ts";
import { CacheStack, type CacheStackOptions } from "./cache-stack.ts";
import type { Declared } from "./declared.ts";
import { Proxy } from "./proxy.ts";

/** A server of Attic's, a proxy before it, and stacks that reach it through that. */
export class CacheWorld {
  readonly attic: TestAttic;
  readonly proxy: Proxy;
  readonly api: AtticApi;
  readonly #stacks: CacheStack[] = [];

  private constructor(attic: TestAttic, proxy: Proxy) {
    this.attic = attic;
    this.proxy = proxy;
    this.api = new AtticApi(attic);
  }

  static async start(options?: AtticOptions): Promise<CacheWorld> {
    const attic = await startAttic(options);
    return new CacheWorld(attic, await Proxy.start(attic.url));
  }

  /** What a provider has to be told of the server. */
  get server(): Declared["server"] {
    return { endpoint: this.proxy.url, key: this.attic.key };
  }

  /** A stack of these caches and tokens, on which nothing was run yet. */
  async open(declared: Partial<Declared>, options?: CacheStackOptions): Promise<CacheStack> {
    const stack = await CacheStack.open({ server: this.server, ...declared }, options);
    this.#stacks.push(stack);
    return stack;
  }

  async stop(): Promise<void> {
    for (const stack of this.#stacks) await stack.close();
    await this.proxy.stop();
    await this.attic.stop();
  }
}
