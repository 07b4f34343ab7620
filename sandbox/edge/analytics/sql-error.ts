/** A query that the Analytics Engine of the sandbox refuses: not SQL, or more of it than is played. */
export class SqlError extends Error {
  override readonly name = "SqlError";
}
