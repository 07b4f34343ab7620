type Level = "info" | "warning" | "error";
type Fields = Readonly<Record<string, string | number | boolean | undefined>>;

/** Writes one JSON object a line, in which nothing that is secret stands. */
export class Log {
  readonly #secrets: readonly string[];
  readonly #write: (line: string) => void;

  /** @param secrets what is blotted out wherever it comes up, such as in the words of a server. */
  constructor(secrets: readonly string[], write = (line: string) => void process.stdout.write(line)) {
    this.#secrets = secrets.filter((secret) => secret !== "");
    this.#write = write;
  }

  info(message: string, fields: Fields = {}): void {
    this.#say("info", message, fields);
  }

  warning(message: string, fields: Fields = {}): void {
    this.#say("warning", message, fields);
  }

  error(message: string, fields: Fields = {}): void {
    this.#say("error", message, fields);
  }

  #say(level: Level, message: string, fields: Fields): void {
    const said = { time: new Date().toISOString(), level, message, ...fields };
    const clean = Object.fromEntries(
      Object.entries(said).map(([name, value]) => [
        name,
        typeof value === "string" ? this.#blot(value) : value,
      ]),
    );
    this.#write(`${JSON.stringify(clean)}\n`);
  }

  #blot(text: string): string {
    return this.#secrets.reduce((left, secret) => left.replaceAll(secret, "[secret]"), text);
  }
}
