import assert from "node:assert/strict";
import fc from "fast-check";
import { connectionBudget } from "../../../components/settings/budget.ts";
import { bytes, cores, seconds } from "../../../components/settings/leaf.ts";

describe("a duration", () => {
  it("is a number of seconds", () => {
    assert.deepEqual(
      ["1s", "2m", "12h", "30d", "2w", "1y"].map(seconds),
      [1, 120, 43_200, 2_592_000, 1_209_600, 31_536_000],
    );
  });

  it("is 0 where it is never, as Attic counts it", () => {
    assert.equal(seconds("never"), 0);
  });

  it("is refused in any other form", () => {
    for (const text of ["", "1", "0s", "-1h", "1.5h", "1h30m", " 1h", "1H", "1234567s"])
      assert.throws(() => seconds(text), new RangeError(`not a duration: ${text}`));
  });

  it("grows with its amount, and is sixty times as long in minutes", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 999_998 }), (amount) => {
        assert.equal(seconds(`${amount}m`), 60 * seconds(`${amount}s`));
        assert.ok(seconds(`${amount}d`) < seconds(`${amount + 1}d`));
      }),
    );
  });
});

describe("a quantity", () => {
  it("is a number of bytes", () => {
    assert.deepEqual(
      ["1Mi", "512Mi", "10Gi", "2Ti"].map(bytes),
      [1_048_576, 536_870_912, 10_737_418_240, 2_199_023_255_552],
    );
  });

  it("is refused in any other form", () => {
    for (const text of ["", "10", "10G", "10gi", "Gi "]) assert.throws(() => bytes(text), RangeError);
  });

  it("is the same in the next unit", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 4096 }), (amount) => {
        assert.equal(bytes(`${amount}Gi`), bytes(`${amount * 1024}Mi`));
      }),
    );
  });
});

describe("an amount of CPU", () => {
  it("is a number of cores", () => {
    assert.deepEqual(["1m", "500m", "0.5", "2", "1.25"].map(cores), [0.001, 0.5, 0.5, 2, 1.25]);
  });
});

describe("the budget of connections", () => {
  it("is twenty for each server, which may be there twice, and ten for the collector, for migrations and for others", () => {
    assert.deepEqual([1, 2, 3, 50].map(connectionBudget), [50, 70, 90, 1030]);
  });
});
