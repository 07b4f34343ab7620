/** What has gone wrong somewhere else, and what the client hears of it: one sentence with nothing of the inside. */
export class Fault extends Error {
  readonly status: 502 | 504;

  constructor(status: 502 | 504, message: string) {
    super(message);
    this.status = status;
  }
}
