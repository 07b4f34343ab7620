import { after, before, describe } from "mocha";
import { UserError } from "../../../sandbox/support/user-error.ts";
import { Contract } from "./contract.ts";
import { targets } from "./targets.ts";

/** Tests of one part of the contract, for every server that the suite is run against. */
export function contract(title: string, define: (attic: Contract) => void): void {
  for (const target of targets()) {
    describe(`${title} (${target.name})`, () => {
      const attic = new Contract();
      before(async function () {
        try {
          attic.open(await target.open());
        } catch (error) {
          if (!(error instanceof UserError)) throw error;
          console.log(`      ${error.message}`);
          this.skip();
        }
      });
      after(() => attic.close());
      define(attic);
    });
  }
}
