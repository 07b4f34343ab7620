/** An answer that is no success, in one of the two forms that Attic's have. */
export class Refusal extends Error {
  override readonly name = "Refusal";
  readonly status: number;
  /** Attic's own name for it; without one the answer is plain text, as its HTTP framework words it. */
  readonly kind: string | undefined;

  constructor(status: number, kind: string | undefined, message: string) {
    super(message);
    this.status = status;
    this.kind = kind;
  }
}

/** All that Attic refuses with (server/src/error.rs at b7c9056). */
export const refuse = {
  notFound: () => new Refusal(404, "NotFound", "The URL you requested was not found."),
  unauthorized: () => new Refusal(401, "Unauthorized", "Unauthorized."),
  denied: () =>
    new Refusal(403, "AccessError", "Access error: User does not have permission to complete this action."),
  noSuchCache: () => new Refusal(404, "NoSuchCache", "The requested cache does not exist."),
  noSuchObject: () => new Refusal(404, "NoSuchObject", "The requested object does not exist."),
  cacheAlreadyExists: () => new Refusal(400, "CacheAlreadyExists", "The cache already exists."),
  incompleteNar: () =>
    new Refusal(503, "IncompleteNar", "The requested NAR has missing chunks and needs to be repaired."),
  badRequest: (why: string) => new Refusal(400, "RequestError", `General request error: ${why}`),
  badStorePathHash: () => new Refusal(500, "InvalidStorePathHash", "Error from the common components."),
  internal: () =>
    new Refusal(500, "InternalServerError", "The server encountered an internal error or misconfiguration."),
  /** What the framework says before Attic sees the request. */
  plain: (status: number, message: string) => new Refusal(status, undefined, message),
};
