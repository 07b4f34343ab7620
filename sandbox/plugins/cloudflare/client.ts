import { spawn } from "node:child_process";
import type { Json } from "../../edge/api/envelope.ts";

/** A call that Cloudflare refused. */
export class Refused extends Error {
  readonly status: number;

  constructor(
    method: string,
    path: string,
    status: number,
    errors: readonly { code: number; message: string }[],
  ) {
    const words = errors.map(({ code, message }) => `${message} (${code})`).join("; ");
    super(`failed to make http request: ${method} ${path}: ${status} ${words}`);
    this.status = status;
  }
}

export interface Request {
  json?: Json;
  form?: FormData;
  headers?: Record<string, string>;
}

/** A client of Cloudflare's API. */
export class Client {
  readonly #base: string;
  readonly #token: string;
  #started: Promise<void> | undefined;

  constructor(base: string, token: string) {
    this.#base = base.replace(/\/$/, "");
    this.#token = token;
  }

  /** What the API answers as `result`. @throws Refused */
  async call(method: string, path: string, request: Request = {}): Promise<Json> {
    const response = await this.#fetch(method, path, request);
    const text = await response.text();
    const answer = parse(text);
    if (response.ok && answer?.success === true) return answer.result;
    throw new Refused(
      method,
      path,
      response.status,
      answer?.errors ?? [{ code: 0, message: text.slice(0, 200) }],
    );
  }

  /** {@link call}, or undefined where it is not there. */
  async find(path: string, headers: Record<string, string> = {}): Promise<Json | undefined> {
    try {
      return await this.call("GET", path, { headers });
    } catch (error) {
      if (error instanceof Refused && error.status === 404) return undefined;
      throw error;
    }
  }

  /** The parts of an answer that is a form. */
  async form(path: string): Promise<string[]> {
    const response = await this.#fetch("GET", path, {});
    const text = await response.text();
    if (!response.ok) throw new Refused("GET", path, response.status, parse(text)?.errors ?? []);
    const [, boundary] = /boundary=([^;\s]+)/.exec(response.headers.get("content-type") ?? "") ?? [];
    const parts = text.split(`--${boundary ?? ""}`).slice(1, -1);
    return parts.map((part) => part.slice(part.indexOf("\r\n\r\n") + 4, -2));
  }

  async #fetch(method: string, path: string, { json, form, headers }: Request): Promise<Response> {
    const options = {
      method,
      headers: {
        authorization: `Bearer ${this.#token}`,
        ...(json !== undefined && { "content-type": "application/json" }),
        ...headers,
      },
      ...(form !== undefined ? { body: form } : json !== undefined && { body: JSON.stringify(json) }),
    };
    const url = `${this.#base}/${path}`;
    try {
      return await fetch(url, options);
    } catch (error) {
      if (!(await this.#start()))
        throw new Error(`${this.#base} does not answer: ${causeOf(error)}`, { cause: error });
      return await fetch(url, options);
    }
  }

  /** Starts the sandbox's own Cloudflare, where that is what is asked; it is not there before it is needed. */
  async #start(): Promise<boolean> {
    const { SANDBOX_EDGE: command, CLOUDFLARE_BASE_URL: own = "" } = process.env;
    if (command === undefined || this.#base !== own.replace(/\/$/, "")) return false;
    this.#started ??= start(JSON.parse(command) as string[]);
    await this.#started;
    return true;
  }
}

async function start([program = "", ...args]: readonly string[]): Promise<void> {
  const child = spawn(program, args, { stdio: ["ignore", "ignore", "pipe"] });
  let said = "";
  child.stderr.on("data", (data: Buffer) => (said += data.toString()));
  const code = await new Promise((resolve, reject) => child.on("close", resolve).on("error", reject));
  if (code !== 0) throw new Error(`The sandbox's Cloudflare could not be started. ${said.trim()}`);
}

interface Answer {
  success: boolean;
  errors?: { code: number; message: string }[];
  result: Json;
}

function parse(text: string): Answer | undefined {
  try {
    return JSON.parse(text) as Answer;
  } catch {
    return undefined;
  }
}

function causeOf(error: unknown): string {
  const { cause } = error as { cause?: unknown };
  return cause instanceof Error ? cause.message : String(error);
}
