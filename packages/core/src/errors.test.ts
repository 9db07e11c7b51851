import { describe, expect, it } from "vitest";
import { InputError, isIsthmusError, isUsageError, OutOfRangeError, UsageError } from "./errors.ts";

describe("UsageError, OutOfRangeError, isUsageError()", () => {
  it("UsageError and OutOfRangeError are errors of JavaScript with names of their own", () => {
    const usage = new UsageError("Cannot pad as the sides must be two: got 1");
    const range = new OutOfRangeError("Cannot lerp as t must be in [0, 1]: it is 2", { cause: usage });
    expect(usage).toBeInstanceOf(TypeError);
    expect(range).toBeInstanceOf(RangeError);
    expect([usage.name, range.name, range.cause]).toEqual(["UsageError", "OutOfRangeError", usage]);
    expect(String(range)).toBe("OutOfRangeError: Cannot lerp as t must be in [0, 1]: it is 2");
  });

  it("isUsageError() goes by the class, not by the wording", () => {
    const message = "Cannot lerp as t must be in [0, 1]: it is 2";
    expect(isUsageError(new UsageError(message))).toBe(true);
    expect(isUsageError(new OutOfRangeError(message))).toBe(true);
    for (const other of [
      new TypeError(message),
      new RangeError(message),
      new InputError(message, { input: "x" }),
    ])
      expect(isUsageError(other)).toBe(false);
    for (const value of [undefined, null, message, {}]) expect(isUsageError(value)).toBe(false);
    expect(isIsthmusError(new UsageError(message))).toBe(false);
  });

  it("isUsageError() knows the errors of another copy of the package", () => {
    const marked = Object.assign(new TypeError("Cannot"), { [Symbol.for("isthmus.usage-error")]: true });
    expect(isUsageError(marked)).toBe(true);
  });
});
