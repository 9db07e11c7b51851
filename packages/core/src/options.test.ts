import { describe, expect, it } from "vitest";
import { OutOfRangeError } from "./errors.ts";
import { assertWholeOptions } from "./options.ts";

describe("assertWholeOptions()", () => {
  it("takes whole numbers from the least on, and leaves other options alone", () => {
    const options = { a: 0, b: 3, c: "no" };
    expect(() => assertWholeOptions("count", options, { a: 0, b: 3 })).not.toThrow();
  });

  it.each([-1, 0.5, Number.NaN, 2 ** 53, "1", undefined])("refuses %s", (value) => {
    expect(() => assertWholeOptions("count", { seed: value }, { seed: 0 })).toThrow(
      new OutOfRangeError(`Cannot count as "seed" must be a whole number of at least 0: it is ${value}`),
    );
  });
});
