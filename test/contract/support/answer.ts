import assert from "node:assert/strict";

/** Each refusal of Attic, with its status and its words, which the client and people rely on. */
const REFUSALS = {
  Unauthorized: [401, "Unauthorized."],
  AccessError: [403, "Access error: User does not have permission to complete this action."],
  NotFound: [404, "The URL you requested was not found."],
  NoSuchCache: [404, "The requested cache does not exist."],
  NoSuchObject: [404, "The requested object does not exist."],
  CacheAlreadyExists: [400, "The cache already exists."],
  RequestError: [400, undefined],
  InvalidStorePathHash: [500, "Error from the common components."],
} as const;

/** What a server answered. */
export class Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Buffer;

  constructor(status: number, headers: Headers, body: Buffer) {
    this.status = status;
    this.headers = headers;
    this.body = body;
  }

  get text(): string {
    return this.body.toString();
  }

  /** The JSON of an answer of 200. */
  json(): unknown {
    assert.equal(this.status, 200, this.text);
    assert.equal(this.headers.get("content-type"), "application/json");
    return JSON.parse(this.text);
  }

  /** Checks that it was done, and that nothing is said of it. */
  isDone(): void {
    assert.deepEqual([this.status, this.text], [200, ""]);
  }

  /** Checks that it is Attic's own refusal of that kind, in Attic's own form. @returns its message. */
  isRefused(kind: keyof typeof REFUSALS): string {
    const [status, words] = REFUSALS[kind];
    assert.equal(this.status, status, this.text);
    assert.equal(this.headers.get("content-type"), "application/json");
    const body = JSON.parse(this.text) as { code: number; error: string; message: string };
    assert.deepEqual(body, { code: status, error: kind, message: words ?? body.message });
    return body.message;
  }

  /** Checks that the request was refused before Attic looked at it, in plain words. */
  isMalformed(status: 400 | 413 | 415 | 422, words: RegExp): void {
    assert.equal(this.status, status, this.text);
    assert.equal(this.headers.get("content-type"), "text/plain; charset=utf-8");
    assert.match(this.text, words);
  }
}
