import { after, before, describe } from "mocha";
import { TestWorker, type WorkerOptions } from "../../../support/worker.ts";
import { CONFIG, OBJECTS } from "./edge.ts";

/** Tests of one Worker that runs for all of them. */
export function suite(
  name: string,
  tests: (edge: () => TestWorker) => void,
  options: Partial<WorkerOptions> = {},
): void {
  describe(`the edge's Worker: ${name}`, () => {
    let worker: TestWorker;
    before(async () => {
      worker = await TestWorker.start({ config: CONFIG, objects: OBJECTS, ...options });
    });
    after(async () => {
      await worker[Symbol.asyncDispose]();
    });
    tests(() => worker);
  });
}
