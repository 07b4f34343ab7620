import { atticProvider } from "../../provider/attic/provider.ts";
import type { Engine } from "../../provider/protocol/engine.ts";
import type {
  CheckResult,
  DiffRequest,
  DiffResult,
  Provider,
  State,
} from "../../provider/protocol/provider.ts";
import type { Properties } from "../../provider/protocol/values.ts";

/** The provider attic as the engine drives it for one type of resource, without the engine. */
export class TestProvider {
  /** What it said to the person who looks on, `severity: message`. */
  readonly said: string[] = [];
  readonly endpoint: string;
  readonly signingKey: string;
  readonly #type: string;
  readonly #provider: Provider;

  private constructor(type: string, config: Readonly<Record<string, string>>, waits?: readonly number[]) {
    this.#type = type;
    this.#provider = atticProvider(waits);
    this.endpoint = config.endpoint ?? "";
    this.signingKey = config.signingKey ?? "";
  }

  /** @param waits between tries, in milliseconds; the provider's own unless given. */
  static async open(
    type: string,
    config: Readonly<Record<string, string>>,
    waits?: readonly number[],
  ): Promise<TestProvider> {
    const whole = {
      algorithm: "HS256",
      signingKey: Buffer.alloc(64, 1).toString("base64"),
      ...config,
    };
    const test = new TestProvider(type, whole, waits);
    const engine = {
      log: (severity: string, _urn: string, message: string) => test.said.push(`${severity}: ${message}`),
      status: () => undefined,
    } as unknown as Engine;
    const variables = Object.entries(whole).map(([name, value]) => [`attic:config:${name}`, value] as const);
    await test.#provider.configure?.(new Map(variables), engine);
    return test;
  }

  urn(name: string): string {
    return `urn:pulumi:test::attic-stack::attic-stack:attic:Caches$${this.#type}::${name}`;
  }

  get #subject() {
    return { urn: this.urn("main"), type: this.#type };
  }

  async check(news: Properties): Promise<CheckResult> {
    const request = { ...this.#subject, olds: {}, news, randomSeed: new Uint8Array(), autonaming: undefined };
    return await this.#provider.check(request);
  }

  async diff(request: Pick<DiffRequest, "olds" | "oldInputs" | "news">): Promise<DiffResult> {
    return await this.#provider.diff({ ...this.#subject, id: "main", ignoreChanges: [], ...request });
  }

  async create(inputs: Properties, more: { preview?: boolean; urn?: string } = {}): Promise<State> {
    return await this.#provider.create({ ...this.#subject, inputs, timeout: 0, preview: false, ...more });
  }

  async read(id: string, inputs: Properties, outputs: Properties): Promise<State> {
    return await this.#provider.read({ ...this.#subject, id, inputs, outputs });
  }

  async update(
    id: string,
    olds: Properties,
    news: Properties,
    more: { preview?: boolean } = {},
  ): Promise<Properties> {
    const rest = { timeout: 0, ignoreChanges: [], preview: false, ...more };
    return await this.#provider.update({ ...this.#subject, id, olds, news, ...rest });
  }

  /** As the engine does for somebody who presses Ctrl-C. */
  cancel(): void {
    this.#provider.cancel?.();
  }

  async delete(id: string, outputs: Properties): Promise<void> {
    await this.#provider.delete({ ...this.#subject, id, outputs, timeout: 0 });
  }
}
