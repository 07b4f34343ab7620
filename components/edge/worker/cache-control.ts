/**
 * How long answers may be kept, in seconds.
 *
 * A NAR's name is its content's, so it holds for ever. A narinfo goes when its path is deleted, and a minute is how
 * long a closure's download may lean on it. That a path is missing ends with the mirror's next run, and who has just
 * pushed asks again at once: long enough to stop a storm of the same question, and no longer. What was pulled through
 * has been checked by nobody yet, so a day is as long as a bad copy may last.
 */
const AGE = {
  nar: "max-age=31536000, immutable",
  narinfo: "max-age=60",
  missing: "max-age=10",
  pulled: "max-age=86400",
} as const;

/** @param isPublic whether what stands between here and the client may keep it too, for others. */
export function cacheControl(kind: keyof typeof AGE, isPublic: boolean): string {
  return `${isPublic ? "public" : "private"}, ${AGE[kind]}`;
}
