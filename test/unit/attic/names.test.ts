import assert from "node:assert/strict";
import fc from "fast-check";
import { coversPattern, matchesPattern } from "../../../components/attic/names.ts";

/** Short patterns of few letters meet often. */
const pattern = fc.stringMatching(/^[ab*]{1,5}$/);
const name = fc.stringMatching(/^[abc]{1,7}$/);

describe("a pattern that covers another", () => {
  it("matches every name that the other matches", () => {
    fc.assert(
      fc.property(pattern, pattern, name, (wide, narrow, cache) => {
        fc.pre(coversPattern(wide, narrow) && matchesPattern(narrow, cache));
        assert.equal(matchesPattern(wide, cache), true);
      }),
      { numRuns: 1000 },
    );
  });

  it("is missed nowhere: where it is said not to cover, a name shows it", () => {
    fc.assert(
      fc.property(pattern, pattern, (wide, narrow) => {
        fc.pre(!coversPattern(wide, narrow));
        // What a star stands for may be a letter that the wide pattern has not.
        assert.equal(matchesPattern(wide, narrow.replaceAll("*", "c")), false);
      }),
      { numRuns: 1000 },
    );
  });

  it("is found at once, however many stars there are", () => {
    const wide = `${"*a".repeat(24)}*b`;
    assert.equal(coversPattern(wide, `${"a".repeat(49)}*`), false);
    assert.equal(coversPattern(wide, `${"a".repeat(48)}*b`), true);
  });
});
