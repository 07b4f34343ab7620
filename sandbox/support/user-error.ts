/**
 * A fault that the person at the terminal can do something about: what happened and what to do, in one or
 * two sentences. It is printed as it stands, without a stack trace.
 */
export class UserError extends Error {
  override readonly name = "UserError";
}
