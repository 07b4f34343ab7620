import { writeFileSync } from "node:fs";
import Mocha, { type MochaOptions, type Runner } from "mocha";

/** mocha's own reporter for people, which also leaves its counts in the file TEST_COUNTS. */
export default class Reporter extends Mocha.reporters.Spec {
  constructor(runner: Runner, options?: MochaOptions) {
    super(runner, options);
    runner.once(Mocha.Runner.constants.EVENT_RUN_END, () => {
      const { passes, failures, pending } = this.stats;
      if (process.env.TEST_COUNTS)
        writeFileSync(process.env.TEST_COUNTS, JSON.stringify({ passes, failures, pending }));
    });
  }
}
