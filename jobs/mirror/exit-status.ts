/** How a run of the mirror ended. 1 is left to Node, which ends with it where something is broken in here. */
export const EXIT = {
  /** The edge holds all that the server holds. */
  done: 0,
  /** What it was told makes no sense. */
  wrongSettings: 2,
  /** Some paths could not be copied, or reads could not be told to the server; all else is done. */
  partly: 3,
  /** The database or the bucket could not be used. */
  couldNotRun: 4,
  /** It was asked to end, and the next run goes on. */
  stopped: 5,
  /** Another run is at work on the same bucket. */
  another: 6,
} as const;

export type Exit = (typeof EXIT)[keyof typeof EXIT];
