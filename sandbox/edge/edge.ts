import { mkdir, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { grants, resource } from "./api/permission-groups.ts";
import { isValid } from "./api/tokens.ts";
import { Points } from "./analytics/points.ts";
import { Ports } from "../programs/ports.ts";
import { hasCode, readIfThere, writeFileAtomically } from "../support/files.ts";
import { Runtime } from "./runtime/runtime.ts";
import type { Credentials } from "./s3/signature.ts";
import { EMPTY, type ScriptState, type State, type TokenState } from "./state.ts";

/** A sandbox's Cloudflare: what it remembers, and what runs of it. */
export class Edge {
  readonly #folder: string;
  readonly points: Points;
  #state: State;
  #runtime!: Runtime;
  #last: Promise<unknown> = Promise.resolve();
  /** Called after each change. */
  changed: (() => Promise<void>) | undefined;

  private constructor(folder: string, state: State) {
    this.#folder = folder;
    this.#state = state;
    this.points = new Points(join(folder, "analytics"));
  }

  /** Opens it as it was left, and starts what is deployed. @param folder its own, which nobody else may read. */
  static async open(folder: string, ports: Ports): Promise<Edge> {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    const edge = new Edge(folder, await readState(folder));
    edge.#runtime = await Runtime.open({
      folder,
      ports,
      readFile: async (file) => await edge.readFile(file),
      services: {
        tokens: ({ url }) => Promise.resolve(edge.#answerCredentials(new URL(url).pathname.slice(1))),
        points: async (request) => {
          await edge.points.add(await request.json());
          return new Response(null, { status: 204 });
        },
      },
    });
    await edge.#runtime.apply(edge.#state);
    return edge;
  }

  get state(): Readonly<State> {
    return this.#state;
  }

  get s3Port(): number {
    return this.#runtime.s3Port;
  }

  /** Where each Worker answers, and by which hosts it is known. */
  workers(): { name: string; hosts: string[]; url: string }[] {
    return this.#state.scripts.map((script) => {
      const domains = this.#state.domains.filter(
        ({ account, service }) => account === script.account && service === script.name,
      );
      const routes = this.#state.routes.filter((route) => route.script === script.name);
      const hosts = [
        ...domains.map(({ hostname }) => hostname),
        ...routes.map(({ pattern }) => pattern.replace(/^https?:\/\//, "").split("/")[0] ?? ""),
      ];
      const port = this.#runtime.portOf(script) ?? 0;
      return { name: script.name, hosts: [...new Set(hosts)], url: `http://127.0.0.1:${port}` };
    });
  }

  /**
   * Changes what is remembered: all or, where the work or the Workers fail, nothing. One change at a time.
   *
   * @param work changes the draft that it is given.
   */
  async change(work: (draft: State) => Promise<void> | void): Promise<void> {
    const turn = this.#last.then(async () => {
      const draft = structuredClone(this.#state);
      await work(draft);
      const before = this.#state;
      if (runs(draft) !== runs(before)) {
        try {
          await this.#runtime.apply(draft);
        } catch (error) {
          await this.#runtime.apply(before);
          throw error;
        }
      }
      await writeFileAtomically(join(this.#folder, "state.json"), JSON.stringify(draft, null, 2));
      this.#state = draft;
      await this.changed?.();
    });
    this.#last = turn.catch(() => undefined);
    await turn;
  }

  async inspect(script: ScriptState): Promise<string[]> {
    return await this.#runtime.inspect(script, this.#state);
  }

  async isEmpty(bucket: string): Promise<boolean> {
    return await this.#runtime.isEmpty(bucket);
  }

  /** Takes away what is left on the disk of a bucket that is gone. */
  async forgetBucket(id: string): Promise<void> {
    await rm(join(this.#folder, "r2", id), { recursive: true, force: true });
  }

  /** Keeps a module's contents under their hash. */
  async keepFile(file: string, contents: Buffer): Promise<void> {
    await writeFileAtomically(join(this.#folder, "modules", file), contents);
  }

  async readFile(file: string): Promise<Buffer> {
    return await readFile(join(this.#folder, "modules", file));
  }

  /** Ends what runs; what is remembered stays. */
  async close(): Promise<void> {
    await this.#last;
    await this.#runtime.close();
    await this.points.flushed();
  }

  #answerCredentials(id: string): Response {
    const token = this.#state.tokens.find((candidate) => candidate.id === id);
    if (!token || !isValid(token)) return new Response(null, { status: 404 });
    return Response.json(this.#credentials(token));
  }

  #credentials(token: TokenState): Credentials {
    const { account } = token;
    const may = (kind: "Read" | "Write") => {
      // Who may write may read as well.
      const kinds = kind === "Read" ? ["Read", "Write"] : ["Write"];
      const all = grants(
        token,
        kinds.map((one) => `Workers R2 Storage ${one}`),
        resource.account(account),
      );
      const items = kinds.map((one) => `Workers R2 Storage Bucket Item ${one}`);
      return this.#state.buckets
        .filter((bucket) => bucket.account === account)
        .filter(
          (bucket) => all || grants(token, items, resource.bucket(account, bucket.jurisdiction, bucket.name)),
        )
        .map(({ name }) => name);
    };
    const listBuckets = grants(
      token,
      ["Workers R2 Storage Read", "Workers R2 Storage Write"],
      resource.account(account),
    );
    return { account, secret: token.hash, read: may("Read"), write: may("Write"), listBuckets };
  }
}

/** What of the state workerd is started with. */
function runs({ buckets, scripts }: State): string {
  return JSON.stringify([
    buckets.map(({ account, name, id }) => [account, name, id]),
    scripts.map(({ account, name, etag, modules, bindings, compatibilityDate, compatibilityFlags }) => [
      [account, name, etag, compatibilityDate],
      [modules, bindings, compatibilityFlags],
    ]),
  ]);
}

async function readState(folder: string): Promise<State> {
  const file = join(folder, "state.json");
  try {
    return {
      ...structuredClone(EMPTY),
      ...(JSON.parse((await readIfThere(file)) ?? "{}") as Partial<State>),
    };
  } catch (error) {
    if (hasCode(error, "EACCES")) throw error;
    throw new Error(`${file} is not what the sandbox wrote. Delete it and start again.`, { cause: error });
  }
}
