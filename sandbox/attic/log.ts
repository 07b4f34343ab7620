/** Says something in the log, which like Attic's is the standard error output. Nothing secret may be said. */
export function log(line: string): void {
  process.stderr.write(`${line}\n`);
}
