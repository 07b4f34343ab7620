/** What may go better at another try. Its message shows no secret. */
export class Transient extends Error {
  override readonly name = "Transient";
  /** How often it is tried at most, where waiting for long would not help. */
  readonly most: number;

  constructor(message: string, most = Infinity) {
    super(message);
    this.most = most;
  }
}

/** A call that failed for good: it was refused, or all tries failed. */
export class Failure extends Error {
  override readonly name = "Failure";
}

/** Something that a server or the database says, and that cannot be right. */
export class Nonsense extends Error {
  override readonly name = "Nonsense";
}

/** The run is to end. */
export class Stopped extends Error {
  override readonly name = "Stopped";
}

/** What went wrong, in one line. */
export function wordsOf(error: unknown): string {
  const [first = error] = error instanceof AggregateError ? (error.errors as unknown[]) : [error];
  const text = first instanceof Error ? first.message : String(first);
  return text.replace(/[\s\p{Cc}]+/gu, " ").trim();
}
